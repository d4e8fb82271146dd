/**
 * Finds whose the arrays of a flat list are. Converters name arrays with or without the layers
 * around them, so that where names leave it open, shapes, uniqueness and order decide.
 */

import { GruvError } from '../../errors.ts'
import { showShape, type Tensor } from '../../tensor.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import {
  assign,
  lastName,
  missing,
  modelIn,
  type NamedTensor,
  type OwnedSlot,
  ownersIn,
  type Slot,
  sameLayer,
  showLayerPath,
  startsWith,
  type WeightSource,
} from './weights.ts'

/** An array by its name, with slashes and without TensorFlow's `:0`. */
export interface FlatArray {
  readonly name: string
  readonly shape: readonly number[]
  readonly read: () => Tensor
}

/**
 * The weights of a model from a list of arrays.
 * @param within the slots that the list is of: of a whole model, or of a model inside it.
 */
export function flatWeights(
  net: NetConfig,
  within: readonly OwnedSlot[],
  arrays: readonly FlatArray[],
): WeightSource['find'] {
  const owners = new Map<string, FlatArray[]>()
  const ownerOf = ownersIn(net)
  for (const array of arrays) {
    const owner = ownerOf(array.name) ?? ''
    const list = owners.get(owner)
    if (list === undefined) owners.set(owner, [array])
    else list.push(array)
  }
  const owned = new Map<string, OwnedSlot[]>()
  for (const each of within) {
    const path = showLayerPath(each.layerPath)
    const list = owned.get(path)
    if (list === undefined) owned.set(path, [each])
    else list.push(each)
  }
  const settled = new Set(
    [...owned].flatMap(([path, slots]) =>
      isSettled(
        slots.map(({ slot }) => slot),
        owners.get(path) ?? [],
      )
        ? [path]
        : [],
    ),
  )
  let claims: ReadonlyMap<OwnedSlot, FlatArray> | null = null
  const claimsOfOthers = (): ReadonlyMap<OwnedSlot, FlatArray> => {
    claims ??= claimed(
      [...owned].flatMap(([path, slots]) => (settled.has(path) ? [] : slots)),
      [...owners].flatMap(([owner, list]) => (settled.has(owner) ? [] : list)),
    )
    return claims
  }
  const named = ({ name, read }: FlatArray): NamedTensor => ({ name, tensor: read() })
  return (layerPath, slots) => {
    const path = showLayerPath(layerPath)
    if (settled.has(path)) return assign(layerPath, slots, (owners.get(path) ?? []).map(named))
    const claims = claimsOfOthers()
    const found = (owned.get(path) ?? []).flatMap((each) => {
      const array = sameLayer(each.layerPath, layerPath) ? claims.get(each) : undefined
      return array === undefined ? [] : [[each, array] as const]
    })
    const mine = slots.flatMap((slot) => {
      const claim = found.find(([owned]) => sameSlot(owned.slot, slot))
      return claim === undefined ? [] : [claim[1].read()]
    })
    if (mine.length === slots.length) return mine
    const taken = new Set(claims.values())
    const left = [...owners].flatMap(([owner, list]) =>
      settled.has(owner) ? [] : list.filter((array) => !taken.has(array)),
    )
    const got = found.length === 0 ? 'no arrays' : showArrays(found.map(([, array]) => array))
    const others = left.length === 0 ? '' : `; arrays that no layer claims: ${showArrays(left)}`
    throw missing(layerPath, slots, got + others)
  }
}

function sameSlot(a: Slot, b: Slot): boolean {
  return a.name === b.name && a.path.join() === b.path.join()
}

/** Whether a layer has its arrays by their names alone: as many as it wants, each of them once. */
function isSettled(slots: readonly Slot[], arrays: readonly FlatArray[]): boolean {
  const names = new Set(arrays.map(({ name }) => name))
  if (names.size !== arrays.length || arrays.length === 0) return false
  if (arrays.length === slots.length) return true
  // Keras 1 keeps the arrays of each gate apart, three for each.
  const halves = slots.length / 3
  if (Number.isInteger(halves) && [9, 12].some((each) => arrays.length === each * halves))
    return true
  const last = arrays.map(({ name }) => lastName(name))
  return slots.every(({ name }) => last.filter((each) => each === name).length === 1)
}

/** Each is looked at; a model whose names say nothing has some hundred. */
const MOST_PAIRS = 2 ** 22

/**
 * The array of each slot.
 * @param owned every slot of the model, in its order.
 * @param arrays in the order of the file.
 * @throws GruvError `bad-file` where two readings remain.
 */
function claimed<T extends FlatArray>(
  owned: readonly OwnedSlot[],
  arrays: readonly T[],
): ReadonlyMap<OwnedSlot, T> {
  if (owned.length * arrays.length > MOST_PAIRS) {
    throw new GruvError('too-large', 'too many arrays do not say whose they are', {
      got: `${arrays.length} arrays, and ${owned.length} that the layers want`,
      fix: 'Convert the model again with names that differ.',
    })
  }
  const found = new Map<OwnedSlot, T>()
  const open = new Map(arrays.map((array) => [array, candidates(owned, array)] as const))
  /** The arrays that each slot can still have. */
  const leftOf = new Map(owned.map((slot) => [slot, new Set<T>()]))
  for (const [array, slots] of open) for (const slot of slots) leftOf.get(slot)!.add(array)
  const left = (slot: OwnedSlot): readonly T[] => [...leftOf.get(slot)!]
  const settle = (slot: OwnedSlot, array: T): void => {
    found.set(slot, array)
    for (const each of open.get(array)!) leftOf.get(each)!.delete(array)
    open.delete(array)
  }
  for (let before = -1; before !== open.size; ) {
    before = open.size
    for (const slot of owned) {
      if (found.has(slot)) continue
      const [one] = leftOf.get(slot)!
      if (leftOf.get(slot)!.size === 1) settle(slot, one)
    }
  }
  // What several slots can have goes to them in order, if there is one for each.
  for (const slot of owned) {
    const mine = new Set(found.has(slot) ? [] : left(slot))
    if (mine.size === 0) continue
    const rivals = owned.filter((each) => !found.has(each) && left(each).some((a) => mine.has(a)))
    const wanted = new Set(rivals.flatMap(left))
    if (wanted.size !== rivals.length || rivals.some((each) => left(each).length !== wanted.size))
      throw undecided(slot, [...mine])
    for (const [i, array] of [...wanted].entries()) settle(rivals[i], array)
  }
  return found
}

function undecided({ layerPath, slot }: OwnedSlot, arrays: readonly FlatArray[]): GruvError {
  return new GruvError('bad-file', 'it is not clear which of these arrays is this layer’s', {
    where: `${showLayerPath(layerPath)}: ${slot.name}`,
    got: showArrays(arrays),
    fix: 'Load the Keras file that this one was converted from, or convert it again with names that differ.',
  })
}

function showArrays(arrays: readonly FlatArray[]): string {
  const shown = arrays.slice(0, 12).map(({ name, shape }) => `${name} ${showShape(shape)}`)
  return `${shown.join(', ')}${arrays.length > 12 ? `, and ${arrays.length - 12} more` : ''}`
}

/** The slots that can hold an array, by its name and its shape. */
function candidates(owned: readonly OwnedSlot[], array: FlatArray): readonly OwnedSlot[] {
  const path = array.name.split('/')
  const last = lastName(array.name)
  const before = path.slice(0, -1)
  const fitting = owned.filter(
    ({ layerPath, slot }) =>
      slot.name === last && fits(shapeOf(layerPath.at(-1)!.layer, slot), array.shape),
  )
  const halved = fitting.filter(({ slot }) => sameHalf(slot, before))
  for (const i of before.keys()) {
    const within = before.slice(i)
    const named = halved.filter((each) => isNamed(each, within))
    if (named.length > 0) return mostNamed(named, within).filter((each) => knows(each, within))
  }
  // A name of no layer at all says nothing; that of another layer says that it is not here.
  return before.every((part) => parts.test(part)) ? halved : []
}

/** Names of what lies inside any layer. */
const parts =
  /^(?:(?:gru|lstm|simple_rnn|stacked_rnn)_cells?(?:_\d+)?|cells?|\d+|layer|(?:forward|backward)_layer)$/

function isNamed({ layerPath }: OwnedSlot, path: readonly string[]): boolean {
  const { layer } = layerPath.at(-1)!
  const around = layerPath.slice(0, -1).map((each) => each.layer)
  return [...around, layer].some((each) =>
    namesOf(each).some((name) => startsWith(path, name.split('/'))),
  )
}

/** Whether each step of a path is a layer around the slot, or lies inside any layer. */
function knows({ layerPath }: OwnedSlot, path: readonly string[]): boolean {
  const names = layerPath.flatMap(({ layer }) => namesOf(layer)).flatMap((name) => name.split('/'))
  return path.every((part) => names.includes(part) || parts.test(part))
}

/** Of slots that a path names, those in the layer that more of the path names. */
function mostNamed(slots: readonly OwnedSlot[], path: readonly string[]): readonly OwnedSlot[] {
  const count = ({ layerPath }: OwnedSlot): number =>
    layerPath.filter(({ layer }) => path.some((part) => namesOf(layer).includes(part))).length
  const most = slots.reduce((so, slot) => Math.max(so, count(slot)), 0)
  return slots.filter((slot) => count(slot) === most)
}

/** A layer's own name, and the names of what it wraps. */
function namesOf(layer: LayerConfig): readonly string[] {
  const inside = [layer.inner, layer.backward, ...layer.cells].flatMap((each) =>
    each === null ? [] : modelIn(each) === null ? namesOf(each) : [each.name],
  )
  const halves = layer.className === 'Bidirectional' ? ['forward_', 'backward_'] : []
  return [layer.name, ...inside, ...halves.flatMap((half) => inside.map((name) => half + name))]
}

function sameHalf({ path }: Slot, names: readonly string[]): boolean {
  const half = path.find((step) => step.endsWith('ward_layer'))?.replace('_layer', '')
  const other = half === 'forward' ? 'backward' : 'forward'
  return half === undefined || !names.some((name) => name.startsWith(other))
}

/** The shape of an array as far as the configuration states it; null for an extent that it leaves open. */
function shapeOf(layer: LayerConfig, { path, name }: Slot): readonly (number | null)[] | null {
  const owner = path.reduce<LayerConfig | undefined>(
    (each, step) =>
      step === 'forward_layer' || step === 'layer'
        ? (each?.inner ?? undefined)
        : step === 'backward_layer'
          ? (each?.backward ?? each?.inner ?? undefined)
          : step === 'cell'
            ? each?.cells.length === 1
              ? each.cells[0]
              : each
            : /^\d+$/.test(step)
              ? each?.cells[Number(step)]
              : each,
    layer,
  )
  if (owner === undefined) return null
  const { settings } = owner
  const count = (key: string): number | null => {
    const value = settings.get(key)
    return typeof value === 'number' ? value : null
  }
  const units = count('units')
  const gates = gatesOf.get(owner.className.replace(/Cell$/, ''))
  if (owner.className === 'Embedding') return [count('input_dim'), count('output_dim')]
  if (units === null) return null
  if (owner.className === 'Dense') return name === 'bias' ? [units] : [null, units]
  if (gates === undefined || name === 'bias') return null
  return [name === 'recurrent_kernel' ? units : null, gates * units]
}

const gatesOf: ReadonlyMap<string, number> = new Map([
  ['GRU', 3],
  ['LSTM', 4],
  ['SimpleRNN', 1],
])

function fits(expected: readonly (number | null)[] | null, shape: readonly number[]): boolean {
  if (expected === null) return true
  return (
    expected.length === shape.length &&
    expected.every((extent, axis) => extent === null || extent === shape[axis])
  )
}
