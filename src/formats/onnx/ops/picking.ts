/** Operators that pick elements by numbers that the model computes: ArgMax, GatherElements, GatherND. */

import { product } from '../../../model/shapes/dims.ts'
import type { Dim } from '../../../model/types.ts'
import type { Graph } from '../graph.ts'
import type { Op, Operators } from '../op.ts'
import { extents, known, liveValue, type Value } from '../values.ts'
import { binary, number, selected } from './arithmetic.ts'
import { dropAxes, unsqueeze } from './axes.ts'
import { reduced } from './linear.ts'
import { part } from './slice.ts'

export const picking: Operators = {
  ArgMax: (op) => [best(op, 'max')],
  ArgMin: (op) => [best(op, 'min')],
  GatherElements: (op) => [gatherElements(op)],
  GatherND: (op) => [gatherNd(op)],
}

/** [count]: 0, 1, 2 … */
export function positions(graph: Graph, count: Dim): Value {
  if (typeof count === 'string') {
    const { y } = graph.add({ kind: 'range', count }, {})
    return liveValue(y, 1, 'int')
  }
  graph.spend(count)
  const data = Float64Array.from({ length: count }, (_, i) => i)
  return known({ shape: [count], data, dtype: 'int64' })
}

/** The positions along an axis of a value of that rank. */
function positionsAlong(graph: Graph, count: Dim, axis: number, rank: number): Value {
  const behind = Array.from({ length: rank - axis - 1 }, (_, i) => i + 1)
  return unsqueeze(positions(graph, count), behind)
}

/** Where the largest or smallest element is: the first such position, or the last. */
function best(op: Op, kind: 'max' | 'min'): Value {
  const { graph } = op
  const x = op.input(0)
  const shape = graph.extentsOf(x)
  const axis = op.axis(op.int('axis', 0), shape.length)
  const last = op.int('select_last_index', 0) !== 0
  const found = binary(graph, 'equal', x, reduced(graph, kind, x, [axis], true))
  const at = positionsAlong(graph, shape[axis], axis, shape.length)
  const candidates = selected(graph, found, at, number(last ? -1 : BEYOND))
  const keep = op.int('keepdims', 1) !== 0
  return { ...reduced(graph, last ? 'max' : 'min', candidates, [axis], keep), type: 'int' }
}

/** No axis is as long. */
const BEYOND = 2 ** 30

/** The largest float32: what is outside shows, and no warning of infinite numbers is due. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127

/** y[…, j, …] is x[…, indices[…, j, …], …]; −LARGEST where there is no such element. */
function gatherElements(op: Op): Value {
  const { graph } = op
  const [x, indices] = [op.input(0), op.input(1)]
  const shape = graph.extentsOf(x)
  const axis = op.axis(op.int('axis', 0), shape.length)
  const taken = graph.extentsOf(indices)
  const fits =
    taken.length === shape.length &&
    taken.every((extent, each) => each === axis || graph.symbols.unify(extent, shape[each]))
  if (!fits) throw graph.misfit('these indices do not fit the values', x, indices)
  const at = positionsAlong(graph, shape[axis], axis, shape.length + 1)
  const wanted = unsqueeze(counted(graph, indices, shape[axis]), [axis])
  const candidates = selected(
    graph,
    binary(graph, 'equal', at, wanted),
    unsqueeze(x, [axis + 1]),
    number(-LARGEST),
  )
  return reduced(graph, 'max', candidates, [axis], false)
}

/** Elements, or blocks of them, by tuples of indices along the last axis of `indices`. */
function gatherNd(op: Op): Value {
  const { graph } = op
  const [x, indices] = [op.input(0), op.input(1)]
  const shape = graph.extentsOf(x)
  const taken = graph.extentsOf(indices)
  const batched = op.int('batch_dims', 0)
  const size = taken.at(-1)
  if (typeof size !== 'number' || batched + size > shape.length || batched < 0)
    throw graph.misfit('these indices do not fit the values', x, indices)
  const last = taken.length - 1
  const rows = Array.from({ length: batched }, (_, axis) =>
    positionsAlong(graph, shape[axis], axis, last),
  )
  const given = Array.from({ length: size }, (_, k) => {
    const one = dropAxes(op, part(graph, indices, last, { start: k, end: k + 1, step: 1 }), [last])
    return checked(graph, counted(graph, one, shape[batched + k]), shape[batched + k])
  })
  const depth = batched + size
  const place = [...rows, ...given].reduce<Value>((sum, at, axis) => {
    const stride = product(shape.slice(axis + 1, depth))
    return binary(graph, 'add', sum, binary(graph, 'multiply', at, dim(stride)))
  }, number(0))
  const flat = graph.reshape(graph.layOut(graph.live(x)), [
    product(shape.slice(0, depth)),
    ...shape.slice(depth),
  ])
  const { y } = graph.add(
    { kind: 'gather', axis: 0 },
    { x: flat, indices: graph.layOut(graph.live(place)) },
  )
  return liveValue(y, graph.shapeOf(y).length)
}

/** Indices from the start, where negative ones count from the end. */
function counted(graph: Graph, indices: Value, extent: Dim): Value {
  if (indices.kind === 'known' && indices.tensor.data.every((index) => index >= 0)) return indices
  const fromEnd = binary(graph, 'less', indices, number(0))
  return selected(graph, fromEnd, binary(graph, 'add', indices, dim(extent)), indices)
}

/** Indices, far beyond the end where they are outside: in a flat tensor, another row follows. */
function checked(graph: Graph, indices: Value, extent: Dim): Value {
  const inside = binary(
    graph,
    'and',
    binary(graph, 'greaterOrEqual', indices, number(0)),
    binary(graph, 'less', indices, dim(extent)),
  )
  return selected(graph, inside, indices, number(BEYOND))
}

function dim(extent: Dim): Value {
  return typeof extent === 'number' ? number(extent) : extents([], [extent])
}
