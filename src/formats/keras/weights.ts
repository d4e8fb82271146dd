/**
 * Lists the arrays of each layer in the order in which Keras creates them, and assigns the arrays
 * of a container to them. Sources: `build` of each layer; `weights` of Layer and Model.
 */

import { GruvError } from '../../errors.ts'
import { emptyLike } from '../../model/axes.ts'
import { showShape, type Tensor } from '../../tensor.ts'
import type { LayerConfig, NetConfig } from './config.ts'

export interface Slot {
  /** The attribute of the object that owns it: `kernel`. */
  readonly name: string
  /** The attributes that lead from the layer to that object: `['forward_layer', 'cell']`. */
  readonly path: readonly string[]
  readonly trainable: boolean
}

/** The models around a layer, outermost first, then the layer itself. */
export type LayerPath = readonly { readonly net: NetConfig; readonly layer: LayerConfig }[]

/** A container of weights. */
export interface WeightSource {
  /** In the order of the slots. @throws GruvError `not-found`, naming the layer. */
  readonly find: (layerPath: LayerPath, slots: readonly Slot[]) => readonly Tensor[]
  /** What a user should know about how they are stored. */
  readonly warnings?: readonly string[]
}

type Names = (layer: LayerConfig) => readonly string[]

const always =
  (...names: string[]): Names =>
  () =>
    names
const withBias =
  (...names: string[]): Names =>
  ({ settings }) => [
    ...names,
    ...(settings.bool('use_bias', settings.get('bias') !== false) ? ['bias'] : []),
  ]
const scaled: Names = ({ settings }) => [
  ...(settings.bool('scale', true) ? ['gamma'] : []),
  ...(settings.bool('center', true) ? ['beta'] : []),
]
const cell = withBias('kernel', 'recurrent_kernel')

/** `depthwise_kernel` up to Keras 2, `kernel` in the objects of Keras 3; they go by their order. */
const depthwise = withBias('depthwise_kernel')

/** Layers that own arrays; a name with dots is an attribute of an attribute. */
const owners: Readonly<Record<string, Names>> = {
  Dense: withBias('kernel'),
  Conv1D: withBias('kernel'),
  Conv2D: withBias('kernel'),
  Conv1DTranspose: withBias('kernel'),
  Conv2DTranspose: withBias('kernel'),
  DepthwiseConv1D: depthwise,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: withBias('depthwise_kernel', 'pointwise_kernel'),
  SeparableConv1D: withBias('depthwise_kernel', 'pointwise_kernel'),
  Embedding: always('embeddings'),
  PReLU: always('alpha'),
  BatchNormalization: (layer) => [...scaled(layer), 'moving_mean', 'moving_variance'],
  LayerNormalization: (layer) =>
    layer.settings.bool('rms_scaling', false)
      ? scaled(layer).filter((name) => name === 'gamma')
      : scaled(layer),
  Normalization: ({ settings }) =>
    (settings.get('mean') ?? null) === null ? ['mean', 'variance', 'count'] : [],
  GRU: cell,
  LSTM: cell,
  SimpleRNN: cell,
  GRUCell: cell,
  LSTMCell: cell,
  SimpleRNNCell: cell,
  CuDNNGRU: always('kernel', 'recurrent_kernel', 'bias'),
  CuDNNLSTM: always('kernel', 'recurrent_kernel', 'bias'),
  Attention: ({ settings }) => [
    ...(settings.bool('use_scale', false) ? ['scale'] : []),
    ...(settings.get('score_mode') === 'concat' ? ['concat_score_weight'] : []),
  ],
  AdditiveAttention: ({ settings }) => (settings.bool('use_scale', true) ? ['scale'] : []),
  MultiHeadAttention: ({ settings }) =>
    ['query', 'key', 'value', 'output'].flatMap((part) => [
      `${part}_dense.kernel`,
      ...(settings.bool('use_bias', true) ? [`${part}_dense.bias`] : []),
    ]),
}

const inCell: readonly string[] = ['GRU', 'LSTM', 'SimpleRNN']
const frozen: readonly string[] = ['moving_mean', 'moving_variance', 'mean', 'variance', 'count']

/** The arrays of a layer that is no model; none for those that own none. */
export function slotsOf(layer: LayerConfig, trainable = true): readonly Slot[] {
  const own = trainable && layer.settings.get('trainable') !== false
  const under = (step: string, slots: readonly Slot[]): readonly Slot[] =>
    slots.map((slot) => ({ ...slot, path: [step, ...slot.path] }))
  const { className, inner, cells } = layer
  if (inner !== null && className === 'Bidirectional') {
    const backward = layer.backward ?? inner
    return [
      ...under('forward_layer', slotsOf(inner, own)),
      ...under('backward_layer', slotsOf(backward, own)),
    ]
  }
  // The attribute of a wrapper is called `layer`; wrapped models list their arrays themselves.
  if (inner !== null) return inner.model === null ? under('layer', slotsOf(inner, own)) : []
  if (cells.length > 0) {
    return cells.flatMap((each, i) => {
      const slots = slotsOf(each, own)
      return under('cell', isStacked(layer) ? under('cells', under(`${i}`, slots)) : slots)
    })
  }
  const names = Object.hasOwn(owners, className) ? owners[className](layer) : []
  return names.map((dotted) => {
    const parts = dotted.split('.')
    const name = parts.at(-1)!
    return {
      name,
      path: [...(inCell.includes(className) ? ['cell'] : []), ...parts.slice(0, -1)],
      trainable: own && !frozen.includes(name),
    }
  })
}

/** Whether the cells of an RNN are in StackedRNNCells: its states then come as a list. */
export function isStacked({ settings }: LayerConfig): boolean {
  const value = settings.get('cell')
  return (
    Array.isArray(value) ||
    (value as { class_name?: unknown } | undefined)?.class_name === 'StackedRNNCells'
  )
}

export interface OwnedSlot {
  readonly layerPath: LayerPath
  readonly slot: Slot
}

/** Every array of a model, layer by layer, those of models inside it included. */
export function allSlots(
  net: NetConfig,
  around: LayerPath = [],
  trainable = true,
): readonly OwnedSlot[] {
  return net.layers.flatMap((layer) => {
    const layerPath = [...around, { net, layer }]
    const own = trainable && layer.settings.get('trainable') !== false
    const model = modelIn(layer)
    if (model !== null) return allSlots(model, layerPath, own)
    return slotsOf(layer, trainable).map((slot) => ({ layerPath, slot }))
  })
}

/** The model that a layer is, or wraps. */
export function modelIn(layer: LayerConfig): NetConfig | null {
  return layer.model ?? (layer.inner === null ? null : modelIn(layer.inner))
}

/** Whether a layer owns arrays, or the model that it is or wraps does. */
export function hasWeights(layer: LayerConfig): boolean {
  const model = modelIn(layer)
  return model === null ? slotsOf(layer).length > 0 : model.layers.some(hasWeights)
}

/**
 * In the order of `model.weights` up to Keras 2.3, and of every HDF5 file: trained arrays come
 * first.
 */
export function trainedFirst(slots: readonly OwnedSlot[]): readonly OwnedSlot[] {
  return [
    ...slots.filter(({ slot }) => slot.trainable),
    ...slots.filter(({ slot }) => !slot.trainable),
  ]
}

export function sameLayer(a: LayerPath, b: LayerPath): boolean {
  return a.length === b.length && a.every(({ layer }, i) => layer === b[i].layer)
}

export function showLayerPath(layerPath: LayerPath): string {
  return layerPath.map(({ layer }) => layer.name).join('/')
}

export function missing(layerPath: LayerPath, slots: readonly Slot[], got: string): GruvError {
  return new GruvError('not-found', 'the weights of this layer are not in the file', {
    where: showLayerPath(layerPath),
    expected: slots.map(({ name, path }) => [...path, name].join('/')).join(', '),
    got,
  })
}

export interface NamedTensor {
  /** With slashes, without TensorFlow's `:0`. */
  readonly name: string
  readonly tensor: Tensor
}

/** Earlier names of the same arrays. */
const synonyms: Readonly<Record<string, string>> = {
  W: 'kernel',
  U: 'recurrent_kernel',
  b: 'bias',
  running_mean: 'moving_mean',
  running_std: 'moving_variance',
  attention_score_weight: 'scale',
}

export function lastName(path: string): string {
  const last = path.split('/').at(-1)!
  const short = /_(W|U|b|gamma|beta|running_mean|running_std)$/.exec(last)?.[1] ?? last
  return Object.hasOwn(synonyms, short) ? synonyms[short] : short
}

/**
 * Puts a layer's arrays into its slots: in their order, as Keras itself reads them, where names do
 * not contradict; by name where they do.
 */
export function assign(
  layerPath: LayerPath,
  slots: readonly Slot[],
  found: readonly NamedTensor[],
): readonly Tensor[] {
  const arrays = joinGates(slots, found)
  const known = new Set(slots.map(({ name }) => name))
  const positional = arrays.every(({ name }, i) => {
    const last = lastName(name)
    return !known.has(last) || last === slots[i]?.name
  })
  if (arrays.length === slots.length && positional) return arrays.map(({ tensor }) => tensor)
  const taken = new Set<NamedTensor>()
  const picked = slots.map((slot) => {
    const fitting = arrays.filter((each) => !taken.has(each) && lastName(each.name) === slot.name)
    const half = slot.path.find((step) => step.endsWith('ward_layer'))?.replace('_layer', '')
    const one = fitting.find(({ name }) => half !== undefined && name.includes(half)) ?? fitting[0]
    if (one !== undefined) taken.add(one)
    return one?.tensor
  })
  if (picked.every((tensor) => tensor !== undefined)) return picked
  throw missing(
    layerPath,
    slots,
    found.map(({ name, tensor }) => `${name} ${showShape(tensor.shape)}`).join(', ') || 'no arrays',
  )
}

/** How Keras 1 lists the gates, and where each stands in the packed arrays of later versions. */
const gatesOf: Readonly<Record<number, { readonly listed: string; readonly packed: string }>> = {
  9: { listed: 'zrh', packed: 'zrh' },
  12: { listed: 'icfo', packed: 'ifco' },
}

/**
 * Keras 1 kept W, U and b of each gate apart; both halves of a Bidirectional layer one after the
 * other.
 */
function joinGates(slots: readonly Slot[], found: readonly NamedTensor[]): readonly NamedTensor[] {
  const halves = slots.length / 3
  const gates = gatesOf[found.length / halves]
  if (!Number.isInteger(halves) || gates === undefined) return found
  const each = found.length / halves
  return Array.from({ length: halves }, (_, half) =>
    found.slice(half * each, (half + 1) * each),
  ).flatMap((arrays) =>
    ['kernel', 'recurrent_kernel', 'bias'].map((name, part) => ({
      name,
      tensor: joinColumns(
        [...gates.packed].map((gate) => arrays[gates.listed.indexOf(gate) * 3 + part].tensor),
      ),
    })),
  )
}

/** Arrays of the same shape, side by side along the last axis. */
function joinColumns(parts: readonly Tensor[]): Tensor {
  const [first] = parts
  const width = first.shape.at(-1) ?? 0
  const rows = width === 0 ? 0 : first.data.length / width
  if (parts.some(({ data }) => data.length !== first.data.length)) {
    throw new GruvError('bad-shape', 'the gates of one layer have arrays of different sizes', {
      got: parts.map(({ shape }) => showShape(shape)).join(', '),
    })
  }
  const data = emptyLike(first, first.data.length * parts.length)
  parts.forEach((part, at) => {
    for (let row = 0; row < rows; row++)
      data.set(
        part.data.subarray(row * width, (row + 1) * width),
        (row * parts.length + at) * width,
      )
  })
  return { ...first, shape: [...first.shape.slice(0, -1), width * parts.length], data }
}

/** The names of the models around a layer and its own. */
type Owner = (path: readonly string[]) => readonly string[] | null

/**
 * Finds the layer that an array in a flat list belongs to by its name (TF.js, HDF5 files of nested
 * models): the first layer that its path names, and within a model the first layer there.
 * @returns a function that gives the names of the models around the layer and its own, with slashes.
 */
export function ownersIn(net: NetConfig): (name: string) => string | null {
  const owner = ownerIn(net)
  return (name) => owner(name.split('/'))?.join('/') ?? null
}

export function startsWith(path: readonly string[], parts: readonly string[]): boolean {
  return parts.every((part, i) => path[i] === part)
}

function ownerIn(net: NetConfig): Owner {
  const byName = new Map(net.layers.map((layer) => [layer.name, layer]))
  const models = new Map<string, Owner>()
  // Names may have slashes of their own.
  let mostParts = 1
  for (const layer of net.layers) {
    const model = modelIn(layer)
    if (model !== null) models.set(layer.name, ownerIn(model))
    mostParts = Math.max(mostParts, layer.name.split('/').length)
  }
  return (path) => {
    for (const i of path.keys()) {
      const layer = longestOf(byName, path.slice(i, i + mostParts))
      if (layer === undefined) continue
      const inModel = models.get(layer.name)
      if (inModel === undefined) return [layer.name]
      const inside = inModel(path.slice(i + layer.name.split('/').length))
      if (inside !== null) return [layer.name, ...inside]
    }
    // The names of a model's layers need not begin with the model's name.
    for (const [name, inModel] of models) {
      const inside = inModel(path)
      if (inside !== null) return [name, ...inside]
    }
    return null
  }
}

/** The layer with the longest name that a path begins with. */
function longestOf(
  layers: ReadonlyMap<string, LayerConfig>,
  path: readonly string[],
): LayerConfig | undefined {
  for (let length = path.length; length > 0; length--) {
    const layer = layers.get(path.slice(0, length).join('/'))
    if (layer !== undefined) return layer
  }
  return undefined
}
