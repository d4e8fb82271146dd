/** Operators for matrix products, softmax, and reductions of axes. */

import { emptyNumbers } from '../../../bytes/numbers/storage.ts'
import { product as multiplied, sum } from '../../../model/shapes/dims.ts'
import type { ReduceNode } from '../../../model/types.ts'
import { dtypeOf, sizeOf, type Tensor } from '../../../tensor.ts'
import type { Graph } from '../graph.ts'
import { materialize, materializeAxis } from '../known.ts'
import type { Op, Operator, Operators } from '../op.ts'
import { extents, known, type Live, liveValue, type Value } from '../values.ts'
import { binary, number, unary } from './arithmetic.ts'
import { transpose } from './axes.ts'

export const linear: Operators = {
  MatMul: (op) => [matmul(op.graph, op.input(0), op.input(1))],
  Gemm: (op) => [gemm(op)],
  Softmax: (op) => [softmax(op, false)],
  LogSoftmax: (op) => [softmax(op, true)],
  ReduceSum: reduce('sum', 13),
  ReduceMean: reduce('mean', 18),
  ReduceMax: reduce('max', 18),
  ReduceMin: reduce('min', 18),
  ReduceProd: reduce('product', 18),
  ReduceL1: reduce('l1', 18),
  ReduceL2: reduce('l2', 18),
  ReduceSumSquare: reduce('sumSquare', 18),
  ReduceLogSumExp: reduce('logSumExp', 18),
  ReduceLogSum: (op) => {
    const [sum] = reduce('sum', 18)(op)
    return [unary(op.graph, 'log', sum!)]
  },
  GlobalAveragePool: (op) => [overSpace(op, 'mean')],
  GlobalMaxPool: (op) => [overSpace(op, 'max')],
}

/** x·K + b for a matrix of the file, applied to the last axis as it lies. */
function dense(graph: Graph, x: Live, kernel: Tensor, bias: Tensor | null): Live {
  const [features, units] = kernel.shape
  const axis = x.view.length - 1
  if (!graph.symbols.unify(graph.extentsOf(x)[axis], features))
    throw graph.misfit('this cannot be multiplied', x, known(kernel))
  const live = graph.withLast(x, axis)
  const { y } = graph.add(
    {
      kind: 'dense',
      features,
      units,
      activation: { kind: 'linear', parameters: [] },
      weights: { kernel, bias },
    },
    { x: live.value },
  )
  return { ...live, value: y, type: 'float' }
}

function matmul(graph: Graph, a: Value, b: Value): Value {
  if (b.kind === 'known' && b.shape.length === 2) {
    const kernel = materialize(b, graph.spend)
    if (a.kind !== 'known') return dense(graph, graph.live(a), kernel, null)
    // Rows that repeat, such as a zero state for each row of the batch, are multiplied once.
    const rows = materializeAxis(a, a.shape.length - 1, graph.spend)
    const folded = rows === null ? null : product(graph, rows, kernel)
    if (folded !== null)
      return { kind: 'known', shape: a.shape.with(-1, kernel.shape[1]), tensor: folded }
  }
  if (b.kind === 'known' && b.shape.length === 1 && a.kind !== 'known') {
    const column = materialize(b, graph.spend)
    const y = dense(graph, graph.live(a), { ...column, shape: [column.shape[0], 1] }, null)
    return { ...y, view: y.view.slice(0, -1) }
  }
  const [left, right] = [graph.live(a), graph.live(b)]
  const shapes = [graph.extentsOf(left), graph.extentsOf(right)]
  const inner = [shapes[0].at(-1), shapes[1].at(shapes[1].length === 1 ? -1 : -2)]
  if (inner[0] === undefined || inner[1] === undefined || !graph.symbols.unify(inner[0], inner[1]))
    throw graph.misfit('these cannot be multiplied', left, right)
  const { y } = graph.add({ kind: 'matmul' }, { a: graph.layOut(left), b: graph.layOut(right) })
  return liveValue(y, graph.shapeOf(y).length)
}

function product(graph: Graph, a: Tensor, b: Tensor): Tensor | null {
  const inner = a.shape.at(-1)
  const [rows, columns] = b.shape
  if (inner !== rows || a.shape.length === 0) return null
  const shape = [...a.shape.slice(0, -1), columns]
  // Counts the multiplications, not only the results.
  graph.spend(sizeOf(shape) * rows)
  const data = emptyNumbers(dtypeOf(a), sizeOf(shape))
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns]
    let sum = 0
    for (let k = 0; k < rows; k++) sum += a.data[row * rows + k] * b.data[k * columns + column]
    data[i] = sum
  }
  return { shape, data, dtype: dtypeOf(a) }
}

/** alpha·A·B + beta·C */
function gemm(op: Op): Value {
  const { graph } = op
  const [alpha, beta] = [op.float('alpha', 1), op.float('beta', 1)]
  const given = [op.input(0), op.input(1)]
  if (given.some((value) => graph.extentsOf(value).length !== 2))
    throw graph.misfit('Gemm multiplies matrices', ...given)
  const [a, b] = (['transA', 'transB'] as const).map((flag, i) =>
    op.int(flag, 0) === 0 ? given[i] : transpose(given[i], [1, 0], graph.spend),
  )
  const c = op.inputs[2]
  if (b.kind === 'known' && a.kind !== 'known') {
    const kernel = scaled(materialize(b, graph.spend), alpha)
    const bias =
      c?.kind === 'known' && beta === 1
        ? biasOf(materialize(c, graph.spend), kernel.shape[1])
        : null
    const y = dense(graph, graph.live(a), kernel, bias)
    return bias !== null || c === undefined ? y : binary(graph, 'add', y, times(graph, c, beta))
  }
  const y = times(graph, matmul(graph, a, b), alpha)
  return c === undefined ? y : binary(graph, 'add', y, times(graph, c, beta))
}

function biasOf({ shape, data, dtype }: Tensor, units: number): Tensor | null {
  if (data.length === units && (shape.at(-1) ?? 1) === units)
    return { shape: [units], data, ...(dtype && { dtype }) }
  return null
}

function scaled(tensor: Tensor, by: number): Tensor {
  if (by === 1) return tensor
  return { shape: tensor.shape, data: Float64Array.from(tensor.data, (value) => value * by) }
}

function times(graph: Graph, x: Value, by: number): Value {
  return by === 1 ? x : binary(graph, 'multiply', x, number(by))
}

function softmax(op: Op, log: boolean): Value {
  const { graph } = op
  const x = graph.live(op.input(0))
  const shape = graph.extentsOf(x)
  const axis = op.axis(op.int('axis', op.opset < 13 ? 1 : -1), shape.length)
  // Before version 13 all axes from this one on are normalised together.
  const together = op.opset < 13 && shape.slice(axis + 1).some((extent) => extent !== 1)
  if (!together) {
    const { live, place } = graph.withAxis(x, axis)
    const last = place === graph.shapeOf(live.value).length - 1
    const y =
      last && !log
        ? graph.apply(
            { kind: 'activation', activation: { kind: 'softmax', parameters: [] } },
            live.value,
          )
        : graph.apply({ kind: 'softmax', axis: place, log }, live.value)
    return { ...live, value: y }
  }
  const flat: Live = { ...x, view: [...x.view.slice(0, axis), x.view.slice(axis).flat()] }
  const value = graph.layOut(flat)
  const y = graph.apply({ kind: 'softmax', axis, log }, value)
  return liveValue(graph.reshape(y, shape), shape.length)
}

function reduce(kind: ReduceNode['op'], axesAreInputSince: number): Operator {
  return (op) => {
    const x = op.input(0)
    const rank = op.graph.extentsOf(x).length
    const given = op.opset < axesAreInputSince ? op.ints('axes') : op.list('axes', 1)
    if ((given === undefined || given.length === 0) && op.int('noop_with_empty_axes', 0) !== 0)
      return [x]
    const all = given === undefined || given.length === 0
    const flat = op.int('keepdims', 1) === 0
    if (x.kind === 'extents' && rank === 1 && (kind === 'product' || kind === 'sum'))
      return [extents(flat ? [] : [1], [kind === 'sum' ? sum(x.entries) : multiplied(x.entries)])]
    const axes = all ? Array.from({ length: rank }, (_, axis) => axis) : op.axes(given, rank)
    return [reduced(op.graph, kind, x, axes, op.int('keepdims', 1) !== 0)]
  }
}

/** Reduces axes of ONNX's value; those that are kept have extent 1. */
export function reduced(
  graph: Graph,
  kind: ReduceNode['op'],
  x: Value,
  axes: readonly number[],
  keep: boolean,
): Live {
  const live = graph.live(x)
  const places = axes.flatMap((axis) => live.view[axis]).toSorted((a, b) => a - b)
  // Axes of a single element: what they reduce to is the element's own, but not for every kind.
  const trivial =
    places.length === 0 &&
    (kind === 'sum' || kind === 'mean' || kind === 'max' || kind === 'min' || kind === 'product')
  if (!trivial && places.length === 0) {
    const order = graph.naturalOrder(live)
    return reduced(graph, kind, graph.reordered(live, order), axes, keep)
  }
  const value = trivial
    ? live.value
    : graph.apply({ kind: 'reduce', op: kind, axes: places, keepAxes: false }, live.value)
  const moved = (place: number): number => place - places.filter((each) => each < place).length
  const view = live.view.flatMap((group, axis): (readonly number[])[] =>
    axes.includes(axis) ? (keep ? [[]] : []) : [group.map(moved)],
  )
  return { ...live, value, view }
}

function overSpace(op: Op, kind: ReduceNode['op']): Value {
  const x = op.input(0)
  const rank = op.graph.extentsOf(x).length
  const axes = Array.from({ length: Math.max(rank - 2, 0) }, (_, i) => i + 2)
  return reduced(op.graph, kind, x, axes, true)
}
