/** Builds a Model from a Keras configuration and a container of its weights. */

import { GruvError, isGruvError } from '../../errors.ts'
import { Budget } from '../../limits.ts'
import { createModel } from '../../model/graph.ts'
import type { Dim, Model, Port } from '../../model/types.ts'
import type { ReadOptions } from '../format.ts'
import { refuseConventions } from '../format.ts'
import type { Reference } from './calls.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import { parseNetwork } from './config.ts'
import { inputValue, Network, neededCalls, referencesOf, type Source } from './network.ts'
import { type Refusal, refusals } from './refusals.ts'
import { kerasVersion } from './settings.ts'
import { type LayerPath, slotsOf, type WeightSource } from './weights.ts'

export interface KerasFile {
  readonly name: string
  /** The kind of file, in words. */
  readonly source: string
  /** The decoded JSON of the model's configuration. */
  readonly config: unknown
  readonly version: string | null
  readonly weights: (net: NetConfig) => WeightSource
  /** Whether gruv guessed the configuration; the caller may then override it. */
  readonly guessed?: boolean
  /** Of all its files. */
  readonly bytes: number
}

/**
 * @throws GruvError `unsupported`, naming every layer that cannot be read, with a remedy;
 *   `bad-file`, `bad-shape` or `not-found` for files that contradict themselves.
 */
export function importKeras(file: KerasFile, options: ReadOptions): Model {
  if (file.guessed !== true) refuseConventions(options, 'the file states its conventions')
  const net = parseNetwork(file.config)
  const version = kerasVersion(file.version)
  const weights = file.weights(net)
  const source: Source = {
    version,
    weights,
    conventions: options.conventions ?? {},
    budget: () => Budget.reading(options.limits, file.bytes),
  }
  const outputs =
    options.until === undefined
      ? net.outputs
      : [options.until].flat().flatMap((name) => endingAt(net, name))
  const needed = neededCalls(net, outputs).map(({ layer }) => layer)
  const refused = refusals(needed, version)
  if (refused.length > 0)
    throw refusal(net, [...refused, ...alsoRefused(net, outputs, source, refused)])
  // Shared between attempts: arrays are read and taken apart once.
  const made = new Map<LayerConfig, Map<string, unknown>>()
  let last: unknown
  for (const ports of readings(net, outputs, source)) {
    try {
      return attempt(file, net, outputs, ports, source, made)
    } catch (error) {
      if (!isGruvError(error) || (error.code !== 'bad-shape' && error.code !== 'bad-model'))
        throw error
      last = error
    }
  }
  throw last
}

/** What else would be refused, as far as the layers before it can be built. */
function alsoRefused(
  net: NetConfig,
  outputs: readonly Reference[],
  source: Source,
  known: readonly Refusal[],
): readonly Refusal[] {
  const names = new Set(known.map(({ layer }) => layer))
  const network = new Network(source, new Map())
  try {
    const [ports] = readings(net, outputs, source)
    const inputs = new Map(net.inputs.map(({ layer }, i) => [layer, inputValue(ports[i])]))
    network.run(net, inputs, outputs)
  } catch {
    // Any error here is ignored: the refusals that are known matter more.
  }
  return network.refused.filter(
    ({ layer }) => !names.has(layer) && net.layers.some(({ name }) => name === layer),
  )
}

function attempt(
  file: KerasFile,
  net: NetConfig,
  outputs: readonly Reference[],
  ports: readonly Port[],
  source: Source,
  made: Map<LayerConfig, Map<string, unknown>>,
): Model {
  const network = new Network(source, made)
  const inputs = new Map(net.inputs.map(({ layer }, i) => [layer, inputValue(ports[i])]))
  const values = network.run(net, inputs, outputs)
  if (network.refused.length > 0) throw refusal(net, network.refused)
  const names = outputNames(outputs)
  const { graph } = network
  const results = values.map((value, i) => ({ name: names[i], value: value!.value }))
  if (source.version.stated === null && file.guessed !== true) {
    graph.warnings.add(
      'the file does not say which Keras wrote it: the rules of TensorFlow 2 are assumed',
    )
  }
  return createModel({
    name: file.name,
    source: file.source,
    inputs: ports,
    outputs: results,
    nodes: graph.reaching(results.map(({ value }) => value)),
    warnings: [...(source.weights.warnings ?? []), ...graph.warnings],
  })
}

/**
 * One output is `y`; several are called as Keras calls them: by their layers, numbered where those
 * repeat.
 */
function outputNames(outputs: readonly Reference[]): readonly string[] {
  if (outputs.length === 1) return ['y']
  const taken = new Set<string>()
  return outputs.map(({ layer }) => {
    let name = layer
    for (let i = 1; taken.has(name); i++) name = `${layer}_${i}`
    taken.add(name)
    return name
  })
}

function endingAt(net: NetConfig, name: string): readonly Reference[] {
  const layer = net.layers.find((each) => each.name === name)
  if (layer === undefined || net.inputs.some((input) => input.layer === name)) {
    throw new GruvError('not-found', `the model has no layer '${name}' to end at`, {
      where: net.name,
      expected: `one of ${net.layers.map((each) => each.name).join(', ')}`,
    })
  }
  return [{ layer: name, call: layer.calls.length - 1, tensor: 0 }]
}

function refusal(net: NetConfig, refused: readonly Refusal[]): GruvError {
  const names = new Set(refused.map(({ layer }) => layer))
  const reachable = lastBefore(net, names)
  const list = refused.map(({ layer, why }) => `'${layer}' (${why})`).join('; ')
  return new GruvError(
    'unsupported',
    refused.length === 1
      ? 'a layer of this model is not supported'
      : `${refused.length} layers of this model are not supported`,
    {
      where: net.name,
      got: list,
      fix:
        reachable === null
          ? 'Nothing of the model can be run without them.'
          : `The model can be run up to a layer before them: \`--until ${reachable}\`, or the option \`until\` of load.`,
    },
  )
}

/** The last layer that needs none of these. */
function lastBefore(net: NetConfig, refused: ReadonlySet<string>): string | null {
  const inputs = new Set(net.inputs.map(({ layer }) => layer))
  const ends = net.layers
    .filter(({ name, calls }) => !inputs.has(name) && calls.length > 0)
    .map(({ name, calls }) => ({ layer: name, call: calls.length - 1, tensor: 0 }))
  // Calls that need one of the refused layers, each after what it needs itself.
  const spoilt = new Set<string>()
  const keyOf = ({ layer, call }: Omit<Reference, 'tensor'>): string => `${call} ${layer}`
  for (const { layer, call } of neededCalls(net, ends)) {
    const needs = inputs.has(layer.name) ? [] : referencesOf(layer.calls[call])
    if (refused.has(layer.name) || needs.some((each) => spoilt.has(keyOf(each))))
      spoilt.add(keyOf({ layer: layer.name, call }))
  }
  return ends.findLast((end) => !spoilt.has(keyOf(end)))?.layer ?? null
}

/**
 * The possible shapes of the inputs, the most general first. A number of steps that the file fixes
 * (Keras asks for one where the model does not need it) is left open unless a layer depends on it;
 * open extents of several inputs are different unless a layer makes them equal.
 */
function* readings(
  net: NetConfig,
  outputs: readonly Reference[],
  source: Source,
): Generator<readonly Port[]> {
  const shapes = net.inputs.map((input) => statedShape(net, input, source))
  const needed = neededCalls(net, outputs)
  const seen = new Set<string>()
  for (const free of [true, false]) {
    for (const joint of [false, true]) {
      const first = net.inputs.find(
        (_, i) =>
          shapes[i].length > 1 &&
          (shapes[i][1] === null || (free && freeable(net, i, shapes[i], needed))),
      )
      const lead = first === undefined ? null : shapes[net.inputs.indexOf(first)][1]
      const ports = net.inputs.map((input, i): Port => {
        const name = net.inputs.length === 1 ? 'x' : input.layer
        const open = (axis: number): boolean =>
          shapes[i][axis] === null || (axis === 1 && free && freeable(net, i, shapes[i], needed))
        const shape = shapes[i].map((extent, axis): Dim => {
          if (axis === 0) return 'batch'
          if (!open(axis)) return extent as number
          if (axis > 1) return `extent${axis}_${input.layer}`
          const same = joint || input === first || (extent !== null && extent === lead)
          return same ? 'time' : `time_${input.layer}`
        })
        return { name, shape }
      })
      const key = JSON.stringify(ports)
      if (seen.has(key)) continue
      seen.add(key)
      yield ports
    }
  }
}

/**
 * Whether axis 1 counts steps: of three and more axes, or of numbers that are looked up in a table.
 */
function freeable(
  net: NetConfig,
  input: number,
  shape: readonly (number | null)[],
  needed: readonly { readonly layer: LayerConfig }[],
): boolean {
  if (shape.length >= 3) return true
  return (
    shape.length === 2 &&
    consumers(net, net.inputs[input], needed).some(
      ({ className, model }) =>
        className === 'Embedding' ||
        (model?.layers.some((inner) => inner.className === 'Embedding') ?? false),
    )
  )
}

function consumers(
  net: NetConfig,
  { layer: input }: Reference,
  needed: readonly { readonly layer: LayerConfig }[],
): readonly LayerConfig[] {
  const mentions = (value: unknown): boolean =>
    JSON.stringify(value).includes(JSON.stringify(input))
  return (needed.length > 0 ? needed.map(({ layer }) => layer) : net.layers).filter(
    ({ calls, name }) => name !== input && calls.some(({ args }) => mentions(args)),
  )
}

/** The extents that the file states, null for those it leaves open. */
function statedShape(net: NetConfig, input: Reference, source: Source): readonly (number | null)[] {
  const layer = net.layers.find(({ name }) => name === input.layer)
  if (layer === undefined) {
    throw new GruvError('bad-file', `the model has no layer '${input.layer}'`, { where: net.name })
  }
  const { settings } = layer
  if (settings.get('ragged') === true || settings.get('sparse') === true) {
    throw new GruvError('unsupported', 'ragged and sparse inputs are not supported', {
      where: layer.name,
      fix: 'Pad the sequences and use a mask.',
    })
  }
  const stated = settings.get('batch_input_shape', 'batch_shape')
  const inside =
    layer.model === null ? undefined : statedShape(layer.model, layer.model.inputs[0], source)
  const shape = stated ?? inside ?? inferred(net, input, source)
  if (
    Array.isArray(shape) &&
    shape.length > 0 &&
    shape.every((each) => each === null || (Number.isSafeInteger(each) && each > 0))
  )
    return shape as (number | null)[]
  throw settings.wrong('batch_input_shape', 'numbers from 1, and null for what is open')
}

/** Layers that leave the number of features as it is. */
const keepsFeatures =
  /^(?:Activation|ActivityRegularization|(?:Global)?(?:Average|Max)Pooling|Cropping|(?:Spatial|Alpha)?Dropout|Gaussian|ELU|(?:Leaky|Thresholded)?ReLU|Softmax|Identity|Masking|RepeatVector|Rescaling|UpSampling|ZeroPadding)/

/** Layers that take sequences, [rows, steps, features]. */
const ofSequences =
  /^(?:Bidirectional|RNN|Masking|(?:CuDNN)?(?:GRU|LSTM)|SimpleRNN|.*1D|.*Attention)$/

/**
 * A Sequential model that was never built does not state its input: the first weights show how many
 * features it has, and the first layer of sequences that they come step by step.
 */
function inferred(
  net: NetConfig,
  input: Reference,
  source: Source,
): readonly (number | null)[] | undefined {
  if (net.kind !== 'Sequential') return undefined
  const chain = chainOf(net, []).filter(({ layer }) => layer.name !== input.layer)
  if (chain[0]?.layer.className === 'Embedding') return [null, null]
  const features = featuresOf(chain, source)
  if (features === null) return undefined
  let axes = 0
  for (const { layer } of chain) {
    axes = axesTaken(layer)
    if (axes > 0 || /^(?:Flatten|Reshape|Permute|Embedding)$/.test(layer.className)) break
  }
  return [null, ...Array.from({ length: Math.max(axes, 2) - 2 }, () => null), features]
}

type LayerChain = readonly { readonly layer: LayerConfig; readonly path: LayerPath }[]

/** How many axes a layer takes; 0 where it takes any number. */
function axesTaken({ className, inner }: LayerConfig): number {
  if (className === 'TimeDistributed' && inner !== null) return Math.max(1 + axesTaken(inner), 3)
  if (className === 'RepeatVector') return 2
  return className.endsWith('2D') ? 4 : ofSequences.test(className) ? 3 : 0
}

/** The layers of a chain in order, those of chains in it too. */
function chainOf(net: NetConfig, around: LayerPath): LayerChain {
  return net.layers.flatMap((layer): LayerChain => {
    const path = [...around, { net, layer }]
    return layer.model?.kind === 'Sequential' ? chainOf(layer.model, path) : [{ layer, path }]
  })
}

/** What the first arrays say; null where a layer before them may change the features. */
function featuresOf(chain: LayerChain, source: Source): number | null {
  for (const { layer, path } of chain) {
    const slots = layer.model === null ? slotsOf(layer) : []
    if (slots.length === 0) {
      if (keepsFeatures.test((layer.inner ?? layer).className)) continue
      return null
    }
    const arrays = source.weights.find(path, slots)
    const at = slots.findIndex(({ name }) => /^(?:depthwise_)?kernel$/.test(name))
    const groups = layer.settings.get('groups')
    const place = layer.className.endsWith('Transpose') ? -1 : -2
    if (at >= 0)
      return (arrays[at].shape.at(place) ?? 0) * (typeof groups === 'number' ? groups : 1)
    return arrays[0].shape.at(-1) ?? null
  }
  return null
}
