/**
 * Reads Keras's HDF5 files: whole models of Keras 1 to 3, and weights alone as `save_weights` wrote
 * them in either layout. Sources: `legacy/saving/legacy_h5_format.py` and `saving/saving_lib.py` of
 * Keras.
 */

import { openHdf5, readHdf5 } from '../../bytes/hdf5/hdf5.ts'
import { type Hdf5Dataset, type Hdf5Group, memberAt } from '../../bytes/hdf5/tree.ts'
import type { Hdf5Attribute } from '../../bytes/hdf5/values.ts'
import { GruvError } from '../../errors.ts'
import type { LimitOptions } from '../../limits.ts'
import type { Model } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import { importBare } from './bare.ts'
import { flatWeights } from './claims.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import { type FoundLayer, guessOf } from './guess.ts'
import { importKeras } from './import.ts'
import { foundObjects, objectTree, objectWeights } from './object-weights.ts'
import { jsonObject } from './settings.ts'
import {
  allSlots,
  assign,
  type LayerPath,
  missing,
  type NamedTensor,
  type OwnedSlot,
  type Slot,
  sameLayer,
  showLayerPath,
  trainedFirst,
  type WeightSource,
} from './weights.ts'

export async function readKerasH5(file: SourceFile, options: ReadOptions): Promise<Model> {
  const root = await readHdf5(file.bytes, options.limits)
  const config = text(root.attributes.get('model_config'))
  const name = baseName(file.name)
  const stated = memberAt(root, 'model_weights')
  const weights = stated?.kind === 'group' ? stated : root
  if (config !== undefined) {
    const version =
      text(root.attributes.get('keras_version')) ?? text(weights.attributes.get('keras_version'))
    return importKeras(
      {
        bytes: file.bytes.length,
        name,
        source: 'Keras HDF5 (.h5)',
        config: jsonObject(config, 'model_config'),
        version: version ?? null,
        weights: (net) => legacyWeights(weights, net),
      },
      options,
    )
  }
  const layers =
    weights.attributes.has('layer_names') || weights.attributes.has('layer_names0')
      ? legacyLayers(weights)
      : foundObjects(objectTree(root))
  if (layers.length === 0) {
    throw new GruvError(
      'unsupported',
      'this HDF5 file holds neither a model of Keras nor its weights',
      {
        expected: "the attribute 'model_config', 'layer_names', or groups called 'layers'",
        got: [...root.members.keys()].slice(0, 8).join(', ') || 'an empty file',
      },
    )
  }
  return importBare(
    { name, source: 'Keras weights (HDF5)', bytes: file.bytes.length },
    layers,
    options,
  )
}

/** The weights of a `.keras` archive: an HDF5 file of objects. */
export async function objectH5(
  bytes: Uint8Array,
  limits: LimitOptions | undefined,
): Promise<(net: NetConfig) => WeightSource> {
  // A model without trained layers has nothing in it to look for.
  const root = await openHdf5(bytes, limits)
  return () => objectWeights(() => objectTree(root()))
}

/** An HDF5 file of weights in either layout. */
export async function weightsH5(
  bytes: Uint8Array,
  limits: LimitOptions | undefined,
): Promise<(net: NetConfig) => WeightSource> {
  const root = await readHdf5(bytes, limits)
  const group = memberAt(root, 'model_weights')
  const weights = group?.kind === 'group' ? group : root
  if (names(weights, 'layer_names') !== undefined) return (net) => legacyWeights(weights, net)
  return () => objectWeights(() => objectTree(root))
}

function text(attribute: Hdf5Attribute | undefined): string | undefined {
  if (typeof attribute === 'string') return attribute
  return Array.isArray(attribute) && attribute.length === 1 ? attribute[0] : undefined
}

/** A list of names, which Keras cuts into `name0`, `name1`, … where it is too long for a header. */
function names(group: Hdf5Group, attribute: string): readonly string[] | undefined {
  const list = (value: Hdf5Attribute | undefined): readonly string[] | undefined =>
    typeof value === 'string'
      ? [value]
      : Array.isArray(value)
        ? value
        : // An empty list has no strings to show that it is one of strings.
          value !== undefined
          ? []
          : undefined
  const whole = list(group.attributes.get(attribute))
  if (whole !== undefined) return whole
  const parts: string[] = []
  for (let i = 0; ; i++) {
    const part = list(group.attributes.get(`${attribute}${i}`))
    if (part === undefined) return i === 0 ? undefined : parts
    for (const each of part) parts.push(each)
  }
}

/** The arrays of one layer's group, in the order in which the layer lists them. */
function arraysOf(
  group: Hdf5Group,
): readonly { readonly name: string; readonly dataset: Hdf5Dataset }[] {
  return (names(group, 'weight_names') ?? []).map((name) => {
    const dataset = memberAt(group, name)
    if (dataset?.kind === 'dataset') return { name: name.replace(/:\d+$/, ''), dataset }
    throw new GruvError('not-found', `the array '${name}' of the layer is not there`, {
      where: group.path,
    })
  })
}

function layerGroups(group: Hdf5Group): ReadonlyMap<string, Hdf5Group> {
  const groups = new Map<string, Hdf5Group>()
  for (const name of names(group, 'layer_names') ?? [...group.members.keys()]) {
    const member = memberAt(group, name)
    if (member?.kind === 'group') groups.set(name, member)
  }
  return groups
}

/** The layers of each group; a model's group holds those of the model. */
function legacyLayers(group: Hdf5Group): readonly FoundLayer[] {
  const found = [...layerGroups(group)].flatMap(([name, each]) => {
    const arrays = arraysOf(each)
    // Halves of a layer may have names of their own; those of a model do not begin with the group's.
    const own = arrays.every((array) => array.name.startsWith(`${name}/`))
    const whole = own && arrays.length <= MOST_ARRAYS && guessOf(arrays.map(readNamed)) !== null
    const layers = whole ? [name] : [...new Set(arrays.map((array) => layerIn(array.name)))]
    return layers.map((layer) => ({
      group: name,
      name: layers.length === 1 ? name : layer,
      arrays: arrays.filter((array) => whole || layerIn(array.name) === layer),
    }))
  })
  return found.map(({ group, name, arrays }): FoundLayer => {
    const alone = found.filter((each) => each.name === name).length === 1
    return {
      name: alone ? name : `${group}/${name}`,
      paths: arrays.flatMap((array) => [`${group}/${array.name}`, array.name]),
      arrays: arrays.map(readNamed),
    }
  })
}

/** Both halves of a recurrent layer. */
const MOST_ARRAYS = 6

function readNamed({ name, dataset }: { name: string; dataset: Hdf5Dataset }): NamedTensor {
  return { name, tensor: dataset.read() }
}

/** The layer of an array by its name: what is left without the array, its cell and its half. */
function layerIn(name: string): string {
  const steps = name.split('/').slice(0, -1)
  while (steps.length > 1 && /^(?:gru|lstm|simple_rnn)_cell(?:_\d+)?$/.test(steps.at(-1)!))
    steps.pop()
  const half = /^(?:forward|backward)_(.+)$/.exec(steps.at(-1) ?? '')
  if (half !== null) steps.splice(-1, 1, ...(steps.length > 1 ? [] : [half[1]]))
  return steps.join('/')
}

/**
 * One group for each layer of the outermost model; layers of nested models are in their model's.
 */
function legacyWeights(group: Hdf5Group, net: NetConfig): WeightSource {
  const groups = layerGroups(group)
  const nested = new Map<LayerConfig, NestedArrays>()
  const theano = text(group.attributes.get('backend')) === 'theano'
  const flip = (
    layerPath: LayerPath,
    slots: readonly Slot[],
    tensors: readonly Tensor[],
  ): readonly Tensor[] =>
    theano && innermost(layerPath.at(-1)!.layer).className.startsWith('Conv')
      ? tensors.map((tensor, i) => (slots[i].name === 'kernel' ? reversed(tensor) : tensor))
      : tensors
  const find = (layerPath: LayerPath, slots: readonly Slot[]): readonly Tensor[] => {
    const top = layerPath[0].layer
    // Keras 1 lists the layers of nested models as if they were the outer one's.
    const flat = groups.has(top.name) ? undefined : groups.get(layerPath.at(-1)!.layer.name)
    const own = flat ?? groups.get(top.name)
    if (own === undefined)
      throw missing(layerPath, slots, [...groups.keys()].slice(0, 12).join(', ') || 'no layers')
    if (layerPath.length === 1 || flat !== undefined)
      return flip(layerPath, slots, assign(layerPath, slots, arraysOf(own).map(readNamed)))
    const inside = nested.get(top) ?? nestedArrays(net, top, own)
    nested.set(top, inside)
    return flip(layerPath, slots, inside(layerPath, slots))
  }
  return { find }
}

type NestedArrays = WeightSource['find']

/** Of a group with the arrays of a whole model. */
function nestedArrays(net: NetConfig, top: LayerConfig, group: Hdf5Group): NestedArrays {
  const arrays = arraysOf(group)
  const owned = allSlots(net).filter((each) => each.layerPath[0].layer === top)
  const inOrder = [trainedFirst(owned), owned].find((order) => agrees(order, arrays))
  if (inOrder === undefined) {
    const named = arrays.map(({ name, dataset }) => ({
      name: `${top.name}/${name}`,
      shape: dataset.shape,
      read: () => dataset.read(),
    }))
    return flatWeights(net, owned, named)
  }
  const byPath = new Map<string, (readonly [OwnedSlot, Hdf5Dataset])[]>()
  for (const [i, each] of inOrder.entries()) {
    const path = showLayerPath(each.layerPath)
    const list = byPath.get(path) ?? []
    list.push([each, arrays[i].dataset])
    byPath.set(path, list)
  }
  return (layerPath) =>
    (byPath.get(showLayerPath(layerPath)) ?? [])
      .filter(([each]) => sameLayer(each.layerPath, layerPath))
      .map(([, dataset]) => dataset.read())
}

/** The layer inside all wrappers. */
function innermost(layer: LayerConfig): LayerConfig {
  return layer.inner === null ? layer : innermost(layer.inner)
}

/** Whether these arrays can be those slots, one by one, by the names that they end in. */
function agrees(
  order: readonly OwnedSlot[],
  arrays: readonly { readonly name: string }[],
): boolean {
  return (
    order.length === arrays.length &&
    order.every(({ slot }, i) => arrays[i].name.split('/').at(-1) === slot.name)
  )
}

/** Theano convolves where others correlate: its spatial axes run backwards. */
function reversed(kernel: Tensor): Tensor {
  const inner = kernel.shape.slice(-2).reduce((a, b) => a * b, 1)
  const places = kernel.data.length / inner
  const data = kernel.data.slice()
  for (let place = 0; place < places; place++) {
    data.set(kernel.data.subarray(place * inner, (place + 1) * inner), (places - 1 - place) * inner)
  }
  return { ...kernel, data }
}
