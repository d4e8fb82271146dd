/** Operators that take parts of a value: Slice, Split, Gather, ReverseSequence. */

import { isRecurrent } from '../../../model/layers.ts'
import { product, sliceRange, sum } from '../../../model/shapes/dims.ts'
import type { Dim, SliceNode } from '../../../model/types.ts'
import type { Graph } from '../graph.ts'
import {
  materialize,
  materializeAxis,
  sliceKnown,
  takeAlong,
  uniform,
  wholeNumbers,
} from '../known.ts'
import type { Op, Operators } from '../op.ts'
import { extents, type Known, type Live, liveValue, type Value } from '../values.ts'
import { entriesOf } from './arithmetic.ts'
import { dropAxes } from './axes.ts'

type Cut = Omit<SliceNode['slices'][number], 'axis'>

export const slicing: Operators = {
  Slice: (op) => [slice(op)],
  Split: (op) => {
    const x = op.input(0)
    const shape = op.graph.extentsOf(x)
    const axis = op.axis(op.int('axis', 0), shape.length)
    let start = 0
    return splitSizes(op, shape[axis]).map((size) => {
      const cut = { start, end: start + size, step: 1 }
      start += size
      return part(op.graph, x, axis, cut)
    })
  },
  Gather: (op) => [gather(op)],
  ReverseSequence: (op) => [reverse(op)],
}

/** All of an axis from its end; part of it only where it is as long as every sequence. */
function reverse(op: Op): Value {
  const x = op.input(0)
  const shape = op.graph.extentsOf(x)
  const axis = op.axis(op.int('time_axis', 0), shape.length)
  const lengths = op.input(1)
  const stated =
    lengths.kind === 'known' ? [uniform(lengths)] : (entriesOf(lengths)?.entries ?? [null])
  if (stated.some((length) => length === null || !op.graph.symbols.unify(length, shape[axis])))
    throw op.graph.unsupported('ReverseSequence of sequences of different lengths')
  return part(op.graph, x, axis, { start: null, end: null, step: -1 })
}

/** Ends that mean "to the end", whatever the extent: those of 32- and 64-bit integers. */
const FAR = 2 ** 31 - 1

function slice(op: Op): Value {
  let x = op.input(0)
  const shape = op.graph.extentsOf(x)
  const list = (attribute: string, index: number): readonly Dim[] | undefined => {
    if (op.opset < 10) return op.ints(attribute)
    const value = op.inputs[index]
    const found = value === undefined ? undefined : entriesOf(value)
    if (found !== null) return found?.entries
    throw op.graph.unsupported(`the ${attribute} of a Slice depend on the inputs' numbers`)
  }
  const starts = list('starts', 1) ?? []
  const ends = list('ends', 2) ?? []
  const given = list('axes', 3) as readonly number[] | undefined
  const axes = op.axes(given ?? starts.map((_, axis) => axis), shape.length)
  const steps =
    (op.opset < 10 ? undefined : (list('steps', 4) as readonly number[])) ?? axes.map(() => 1)
  axes.forEach((axis, i) => {
    const step = steps[i] ?? 1
    if (!Number.isInteger(step) || step === 0)
      throw op.wrong('steps', 'whole numbers but 0', `${step}`)
    const cut = {
      start: position(op, starts[i], shape[axis]),
      end: position(op, ends[i], shape[axis]),
      step,
    }
    x = part(op.graph, x, axis, cut)
  })
  return x
}

/** A place on an axis as the Model writes it; null for beyond the end or before the start. */
function position(op: Op, at: Dim | undefined, extent: Dim): number | null {
  if (at === extent) return null
  if (typeof at === 'number') return Math.abs(at) >= FAR ? null : at
  const back = sum([at ?? extent, product([extent, -1])])
  if (typeof back === 'number') return back === 0 ? null : back < 0 ? back : null
  throw op.graph.unsupported('a Slice up to an extent of another input', {
    got: `${at} of ${extent}`,
  })
}

/** Part of an axis. */
export function part(graph: Graph, x: Value, axis: number, cut: Cut): Value {
  const extent = graph.extentsOf(x)[axis]
  const { start, end, step } = cut
  if (typeof extent === 'number') {
    const { first, count } = sliceRange(extent, cut)
    if (first === 0 && step === 1 && count === extent) return x
    if (count === 0 && x.kind !== 'known' && x.kind !== 'extents')
      throw graph.misfit('this slice is empty', x)
  } else if (step === 1 && (start ?? 0) === 0 && end === null) return x
  if (x.kind === 'known') {
    const result = sliceKnown(x, axis, cut, graph.spend)
    if (result !== null) return result
  }
  if (x.kind === 'extents') {
    const { first, count } = sliceRange(x.entries.length, cut)
    return extents(
      [count],
      Array.from({ length: count }, (_, i) => x.entries[first + i * step]),
    )
  }
  if (x.kind === 'stack' && axis === x.axis) {
    const { first, count } = sliceRange(x.parts.length, cut)
    const chosen = Array.from({ length: count }, (_, i) => x.parts[first + i * step])
    return chosen.length === 1 ? chosen[0] : { ...x, parts: chosen }
  }
  if (x.kind === 'stack') {
    const cutParts = x.parts.map((each) => part(graph, each, axis, cut))
    if (cutParts.every((each) => each.kind === 'live')) return { ...x, parts: cutParts }
  }
  const { live, place } = graph.withAxis(graph.live(x), axis)
  return lastStep(graph, live, place, cut) ?? sliced(graph, live, place, cut)
}

function sliced(graph: Graph, live: Live, place: number, cut: Cut): Live {
  const value = graph.apply({ kind: 'slice', slices: [{ axis: place, ...cut }] }, live.value)
  return { ...live, value }
}

/** The step of a sequence that the layer computed last, which it gives at a port of its own. */
function lastStep(graph: Graph, live: Live, place: number, cut: Cut): Live | null {
  const maker = graph.makerOf(live.value)
  if (maker === undefined || place !== 1 || !isRecurrent(maker)) return null
  const { sequence, last } = maker.outputs
  if (sequence !== live.value || 'lengths' in maker.inputs) return null
  const extent = graph.shapeOf(live.value)[1]
  const at = onlyPosition(cut, extent)
  const atEnd = at === -1 || (typeof extent === 'number' && at === extent - 1)
  if (!(maker.direction === 'forward' ? atEnd : at === 0)) return null
  // [rows, units], in which the axis of one step is inserted where it was.
  const view = live.view.map((axes) =>
    axes.flatMap((axis) => (axis === 1 ? [] : [axis === 2 ? 1 : axis])),
  )
  return { ...live, value: last, view }
}

/** The one position that a cut takes; null where it takes several, or where that is not known. */
function onlyPosition({ start, end, step }: Cut, extent: Dim): number | null {
  if (typeof extent === 'number') {
    const { first, count } = sliceRange(extent, { start, end, step })
    return count === 1 ? first : null
  }
  if (step !== 1) return null
  const from = start ?? 0
  if (from === -1 && end === null) return -1
  return end === from + 1 && end !== 0 ? from : null
}

function splitSizes(op: Op, extent: Dim): readonly number[] {
  const given = op.list('split', 1)
  const count = op.has('num_outputs') ? op.int('num_outputs', 1) : op.wanted.length
  const total = given === undefined ? extent : given.reduce((a, b) => a + b, 0)
  if (given?.some((size) => size < 0) || !op.graph.symbols.unify(extent, total))
    throw op.wrong('split', `sizes that make ${extent}`, `${given}`)
  if (given !== undefined) return given
  if (typeof extent !== 'number')
    throw op.graph.unsupported('a Split of an extent that is not fixed')
  op.graph.spend(count)
  const size = Math.ceil(extent / count)
  return Array.from({ length: count }, (_, i) => Math.min(size, Math.max(extent - i * size, 0)))
}

function gather(op: Op): Value {
  const { graph } = op
  const [x, indices] = [op.input(0), op.input(1)]
  const shape = graph.extentsOf(x)
  const axis = op.axis(op.int('axis', 0), shape.length)
  if (indices.kind === 'known') {
    const numbers = wholeNumbers(indices)
    if (numbers !== null) return take(op, x, axis, numbers, indices.shape.length === 0)
  }
  if (x.kind === 'known' && axis === 0 && shape.length === 2 && indices.kind !== 'extents')
    return lookedUp(graph, x, graph.live(indices))
  const data = graph.layOut(graph.live(x))
  const at = graph.live(indices)
  const { y } = graph.add({ kind: 'gather', axis }, { x: data, indices: graph.layOut(at) })
  return liveValue(y, graph.shapeOf(y).length)
}

/** Rows by numbers of the file. */
function take(op: Op, x: Value, axis: number, given: readonly number[], scalar: boolean): Value {
  const { graph } = op
  const extent = graph.extentsOf(x)[axis]
  const numbers = given.map((at) => (at < 0 && typeof extent === 'number' ? at + extent : at))
  const outside = (at: number): boolean => typeof extent === 'number' && (at < 0 || at >= extent)
  if (numbers.some(outside))
    throw op.wrong('indices', `below ${extent}`, given.slice(0, 8).join(', '))
  if (x.kind === 'extents') {
    const entries = numbers.map((at) => x.entries[at])
    return extents(scalar ? [] : [entries.length], entries)
  }
  const consecutive = numbers.every((at, i) => at === numbers[0] + i) && numbers.length > 0
  if (consecutive) {
    const end = numbers[0] + numbers.length
    const cut = { start: numbers[0], end: end === 0 ? null : end, step: 1 }
    const taken = part(graph, x, axis, cut)
    return scalar ? dropAxes(op, taken, [axis]) : taken
  }
  const taken = x.kind === 'known' ? materializeAxis(x, axis, graph.spend) : null
  if (x.kind === 'known' && taken !== null) {
    const tensor = takeAlong(taken, axis, numbers, graph.spend)
    return { kind: 'known', shape: x.shape.with(axis, numbers.length), tensor }
  }
  const { live, place } = graph.withAxis(graph.live(x), axis)
  const indices = {
    shape: [numbers.length],
    data: Float64Array.from(numbers),
    dtype: 'int64',
  } as const
  const { y: constant } = graph.add({ kind: 'constant', weights: { value: indices } }, {})
  const { y } = graph.add({ kind: 'gather', axis: place }, { x: live.value, indices: constant })
  return { ...live, value: y }
}

/** Rows of a table by numbers of the input. */
function lookedUp(graph: Graph, table: Known, indices: Live): Live {
  const value = materialize(table, graph.spend)
  const units = value.shape[1]
  const { y } = graph.add(
    { kind: 'embedding', units, weights: { table: value } },
    { x: indices.value },
  )
  return {
    kind: 'live',
    value: y,
    view: [...indices.view, [graph.shapeOf(y).length - 1]],
    type: 'float',
  }
}
