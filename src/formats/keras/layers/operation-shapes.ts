/** Builds the operations of Keras 3 that only move numbers: `x[:, -1]`, reshape, stack, split. */

import { GruvError } from '../../../errors.ts'
import { product } from '../../../model/shapes/dims.ts'
import type { Dim } from '../../../model/types.ts'
import { axisOf, fixed, type Result } from '../graph.ts'
import { type Given, isValue, type LayerCall, unsupported } from '../layer.ts'
import {
  axesOf,
  axisIn,
  constantTensor,
  operation,
  plain,
  tensorOf,
  tensorsOf,
  wholeOf,
  wholesOf,
} from './arguments.ts'
import { constant, scalar } from './core.ts'

/** What stands at one place of `x[…]`. */
type Key =
  | { readonly kind: 'all' }
  | { readonly kind: 'new' }
  | {
      readonly kind: 'part'
      readonly start: number | null
      readonly end: number | null
      readonly step: number
      /** Whether the axis is dropped, because a single place was picked. */
      readonly drop: boolean
    }

/** `x[:, -1]`: whole numbers, slices, `…` and new axes, for the axes in order. */
const getItem = operation('x key', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  return picked(call, x, keysOf(given('key')))
})

function picked(call: LayerCall, x: Result, keys: readonly (Key | null)[]): Result {
  const { graph, name } = call
  const taken = keys.filter((key) => key?.kind === 'part').length
  const whole = { kind: 'part', start: null, end: null, step: 1, drop: false } as const
  const rest = Array.from({ length: Math.max(x.shape.length - taken, 0) }, () => whole)
  const all = keys.findIndex((key) => key?.kind === 'all')
  // Axes that no key names are where `…` stands, or at the end.
  const full = all < 0 ? [...keys, ...rest] : keys.toSpliced(all, 1, ...rest)
  const parts = full.filter((key) => key?.kind === 'part')
  if (full.some((key) => key === null || key.kind === 'all') || parts.length !== x.shape.length)
    throw unsupported(call, 'this way to pick from a tensor')
  const slices = parts.flatMap(({ start, end, step }, axis) =>
    start === null && end === null && step === 1 ? [] : [{ axis, start, end, step }],
  )
  if (slices[0]?.axis === 0 || full[0]?.kind === 'new') throw unsupported(call, 'a choice of rows')
  const y = slices.length === 0 ? x : graph.one(name, { kind: 'slice', slices }, { x })
  let axis = 0
  const shape = full.flatMap((key): readonly Dim[] => {
    if (key?.kind !== 'part') return [1]
    const extent = y.shape[axis++]
    return key.drop ? [] : [extent]
  })
  const kept = full.every((key) => key?.kind === 'part' && !key.drop)
  return kept ? y : graph.reshape(`${name}.item`, y, shape)
}

function keysOf(given: Given | undefined): readonly (Key | null)[] {
  const list = isValue(given) || given === undefined ? [undefined] : plain(given)
  return (Array.isArray(list) ? list : [list]).map(keyOf)
}

function keyOf(key: unknown): Key | null {
  if (key === null) return { kind: 'new' }
  if (typeof key === 'number' && Number.isInteger(key))
    return { kind: 'part', start: key, end: key === -1 ? null : key + 1, step: 1, drop: true }
  if (typeof key !== 'object') return null
  const { class_name: kind, config } = key as { class_name?: unknown; config?: object | null }
  if (kind === '__ellipsis__') return { kind: 'all' }
  // Keras 3 says that it is a slice; TensorFlow's layers only give its parts.
  const given = kind === '__slice__' ? config : kind === undefined ? key : null
  if (typeof given !== 'object' || given === null || !('start' in given)) return null
  const { start = null, stop = null, step = null } = given as Readonly<Record<string, unknown>>
  const whole = (value: unknown): value is number | null =>
    value === null || Number.isInteger(value)
  if (!whole(start) || !whole(stop) || !whole(step) || step === 0) return null
  return { kind: 'part', start, end: stop, step: step ?? 1, drop: false }
}

const expandDims = operation('x axis', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const axes = wholesOf(call, given('axis'), 'axis') ?? []
  const rank = x.shape.length + axes.length
  const added = axesOf(call, { constant: axes }, rank).toSorted((a, b) => a - b)
  const shape = added.reduce<readonly Dim[]>((all, axis) => all.toSpliced(axis, 0, 1), x.shape)
  return call.graph.reshape(call.name, x, shape)
})

const squeeze = operation('x axis', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const stated = wholesOf(call, given('axis'), 'axis')
  const ones = x.shape.flatMap((extent, axis) => (axis > 0 && extent === 1 ? [axis] : []))
  const axes = stated === null ? ones : axesOf(call, { constant: stated }, x.shape.length)
  if (axes.some((axis) => x.shape[axis] !== 1)) throw unsupported(call, 'an axis of more than one')
  const shape = x.shape.filter((_, axis) => !axes.includes(axis))
  return call.graph.reshape(call.name, x, shape)
})

/** The extents of the first axis are the rows, however they are written. */
const reshape = operation('x newshape', (call, given) => {
  const { graph, name } = call
  const x = tensorOf(call, given('x'), 'x')
  const target = plain(given('newshape'))
  const extents = (Array.isArray(target) ? target : [target]).map((each) => each ?? -1)
  if (
    !extents.every((each): each is number => Number.isSafeInteger(each) && (each as number) >= -1)
  )
    throw unsupported(call, 'this shape', String(JSON.stringify(target)).slice(0, 60))
  const [rows, ...rest] = extents
  const size = product(x.shape.slice(1))
  if (rows !== -1 || rest.includes(-1)) return graph.reshape(name, x, [x.shape[0], ...rest])
  if (typeof size !== 'number') {
    // Steps that are left open cannot be told from rows; a fixed number of them can.
    throw new GruvError('bad-shape', 'a reshape needs the number of steps', { where: name })
  }
  const same = product(rest) === size
  return graph.reshape(name, x, [same ? x.shape[0] : -1, ...rest])
})

function turned(call: LayerCall, x: Result, axes: readonly number[]): Result {
  const places = axes.map((axis) => axisOf(axis, x.shape.length, call.name))
  if (places[0] !== 0) throw unsupported(call, 'rows that change places with another axis')
  return call.graph.transpose(call.name, x, places)
}

const transpose = operation('x axes', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const axes = wholesOf(call, given('axes'), 'axes')
  return turned(call, x, axes ?? x.shape.map((_, axis) => x.shape.length - 1 - axis))
})

const swapAxes = operation('x axis1 axis2', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const rank = x.shape.length
  const [a, b] = ['axis1', 'axis2'].map((key) =>
    axisOf(wholeOf(call, given(key), key, Number.NaN), rank, call.name),
  )
  const axes = x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis))
  return turned(call, x, axes)
})

const moveAxis = operation('x source destination', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const rank = x.shape.length
  const [from, to] = ['source', 'destination'].map((key) =>
    axisOf(wholeOf(call, given(key), key, Number.NaN), rank, call.name),
  )
  const others = x.shape.flatMap((_, axis) => (axis === from ? [] : [axis]))
  return turned(call, x, others.toSpliced(to, 0, from))
})

const concatenate = operation('xs axis', (call, given) => {
  const { graph, name } = call
  const values = tensorsOf(call, given('xs'), 'xs')
  const rank = values[0]?.shape.length ?? 0
  const axis = axisIn(call, given('axis'), rank, 0)
  if (values.length === 1) return values[0]
  const ports = Object.fromEntries(values.map((value, i) => [i, value]))
  return axis === rank - 1
    ? graph.one(name, { kind: 'merge', mode: 'concatenate' }, ports)
    : graph.one(name, { kind: 'concat', axis }, ports)
})

const stack = operation('x axis', (call, given) => {
  const { graph, name } = call
  const values = tensorsOf(call, given('x'), 'x')
  const axis = axisIn(call, given('axis'), (values[0]?.shape.length ?? 0) + 1, 0)
  const ports = values.map((x, i) =>
    graph.reshape(`${name}.in${i}`, x, x.shape.toSpliced(axis, 0, 1)),
  )
  return graph.one(name, { kind: 'concat', axis }, Object.fromEntries(ports.entries()))
})

function part(call: LayerCall, x: Result, axis: number, start: number, end: number): Result {
  const slices = [{ axis, start, end, step: 1 }]
  return call.graph.one(`${call.name}.part`, { kind: 'slice', slices }, { x })
}

/** Equal parts, or parts that begin at these places. */
const split = operation('x indices_or_sections axis', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const axis = axisIn(call, given('axis'), x.shape.length, 0)
  const extent = fixed(x.shape[axis], call.name, 'what is split')
  const key = 'indices_or_sections'
  const stated = wholesOf(call, given(key), key) ?? []
  const count = Array.isArray(plain(given(key))) ? null : stated[0]
  const starts =
    count === null
      ? [0, ...stated]
      : Array.from({ length: Math.min(count, extent) }, (_, i) => (i * extent) / count)
  if (!starts.every((at) => Number.isInteger(at) && at >= 0 && at <= extent))
    throw unsupported(call, 'parts of different sizes')
  return starts.map((start, i) => part(call, x, axis, start, starts[i + 1] ?? extent))
})

const unstack = operation('x num axis', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const axis = axisIn(call, given('axis'), x.shape.length, 0)
  const shape = x.shape.toSpliced(axis, 1)
  const count = fixed(x.shape[axis], call.name, 'the number of parts')
  return Array.from({ length: count }, (_, i) =>
    call.graph.reshape(`${call.name}.item`, part(call, x, axis, i, i + 1), shape),
  )
})

const flip = operation('x axis', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const slices = axesOf(call, given('axis'), x.shape.length)
    .toSorted((a, b) => a - b)
    .map((axis) => ({ axis, start: null, end: null, step: -1 }))
  return call.graph.one(call.name, { kind: 'slice', slices }, { x })
})

/** Each number several times in a row. */
const repeat = operation('x repeats axis', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const axis = axisIn(call, given('axis'), x.shape.length, 0)
  return times(call, x, axis, axis + 1, countOf(call, given('repeats'), 'repeats'))
})

/** The whole several times in a row. */
const tile = operation('x repeats', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const stated = wholesOf(call, given('repeats'), 'repeats') ?? []
  const rank = x.shape.length
  const counts = [...Array<number>(Math.max(rank - stated.length, 0)).fill(1), ...stated]
  if (counts.length !== rank || counts[0] !== 1 || counts.some((count) => count < 1))
    throw unsupported(call, 'rows that are repeated')
  return counts.reduce<Result>(
    (y, count, axis) => (count === 1 ? y : times(call, y, axis, axis, count)),
    x,
  )
})

function countOf(call: LayerCall, given: Given | undefined, port: string): number {
  const count = wholeOf(call, given, port, 0)
  if (count >= 1) return count
  throw unsupported(call, 'this argument of an operation', port)
}

/** A new axis of `count` at a place, joined with the axis that is repeated. */
function times(
  { name, graph }: LayerCall,
  x: Result,
  axis: number,
  place: number,
  count: number,
): Result {
  const column = graph.reshape(`${name}.in`, x, x.shape.toSpliced(place, 0, 1))
  const wide = graph.one(
    `${name}.times`,
    { kind: 'expand', shape: x.shape.toSpliced(place, 0, count) },
    { x: column },
  )
  const joined = product([x.shape[axis], count])
  return graph.reshape(name, wide, x.shape.with(axis, typeof joined === 'number' ? joined : -1))
}

const take = operation('x indices axis', (call, given) => {
  const { graph, name } = call
  const x = tensorOf(call, given('x'), 'x')
  const axis = axisIn(call, given('axis'), x.shape.length, 0)
  const numbers = constantTensor(given('indices'), name)
  if (numbers === null) throw unsupported(call, 'places that are computed')
  const indices = constant(graph, `${name}.indices`, numbers)
  return graph.one(name, { kind: 'gather', axis }, { x, indices })
})

const modes = { constant: 'constant', reflect: 'reflect', edge: 'edge' } as const

const pad = operation('x constant_values pad_width mode', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  const stated = plain(given('pad_width'))
  const list: readonly unknown[] = Array.isArray(stated) ? stated : [stated]
  const pairs = list.every((each) => typeof each === 'number')
    ? x.shape.map(() => (list.length === 1 ? [list[0], list[0]] : list))
    : list.map((each) => (Array.isArray(each) ? (each as readonly unknown[]) : [each, each]))
  const named = plain(given('mode')) ?? 'constant'
  const mode = typeof named === 'string' ? named.toLowerCase() : ''
  const value = plain(given('constant_values')) ?? 0
  const fits = pairs.every(
    (pair) =>
      pair.length === 2 &&
      pair.every((each) => Number.isSafeInteger(each) && (each as number) >= 0),
  )
  if (
    !fits ||
    pairs.length !== x.shape.length ||
    !Object.hasOwn(modes, mode) ||
    typeof value !== 'number'
  )
    throw unsupported(call, 'this padding')
  const pads = (pairs as readonly (readonly number[])[]).map(([before, after]) => ({
    before,
    after,
  }))
  if (pads[0].before !== 0 || pads[0].after !== 0) throw unsupported(call, 'rows that are added')
  const kind = modes[mode as keyof typeof modes]
  return call.graph.one(call.name, { kind: 'pad', mode: kind, value, pads }, { x })
})

/** A tensor of the same shape that holds one number. */
const filled = (fallback: number | null): ReturnType<typeof operation> =>
  operation('x fill_value', (call, given) => {
    const { graph, name } = call
    const { shape } = tensorOf(call, given('x'), 'x')
    const number = plain(given('fill_value')) ?? fallback
    if (typeof number !== 'number') throw unsupported(call, 'this argument of an operation')
    const x = constant(graph, `${name}.constant`, scalar(number))
    return graph.one(name, { kind: 'expand', shape }, { x })
  })

/** 1 at the place that each number names. */
const oneHot = operation('x num_classes axis', (call, given) => {
  const { graph, name } = call
  const x = tensorOf(call, given('x'), 'x')
  const rank = x.shape.length
  const classes = countOf(call, given('num_classes'), 'num_classes')
  if (axisIn(call, given('axis'), rank + 1, -1) !== rank)
    throw unsupported(call, 'classes along another axis')
  const column = graph.reshape(`${name}.in`, x, [...x.shape, 1])
  const data = Float64Array.from({ length: classes }, (_, i) => i)
  const numbers = constant(graph, `${name}.classes`, { shape: [classes], data })
  return graph.binary(name, 'equal', column, numbers)
})

export const shapeOperations = {
  GetItem: getItem,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  Reshape: reshape,
  Transpose: transpose,
  Swapaxes: swapAxes,
  Moveaxis: moveAxis,
  Concatenate: concatenate,
  Stack: stack,
  Split: split,
  Unstack: unstack,
  Flip: flip,
  Repeat: repeat,
  Tile: tile,
  Take: take,
  Pad: pad,
  ZerosLike: filled(0),
  OnesLike: filled(1),
  FullLike: filled(null),
  OneHot: oneHot,
} as const
