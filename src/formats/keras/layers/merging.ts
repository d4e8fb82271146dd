/**
 * Builds layers that make one value of several, with its mask: Add, Concatenate, Dot and the like.
 */

import { sameShape } from '../../../model/shapes/shape.ts'
import type { BinaryNode, Dim, MergeNode } from '../../../model/types.ts'
import { axisOf, type GraphBuilder, type Result, type Value } from '../graph.ts'
import { entry, type LayerCall, type LayerEntry, unsupported } from '../layer.ts'
import { isSince } from '../settings.ts'
import { constant, scalar, unmasked } from './core.ts'

/**
 * The mask of several values element by element: since Keras 3.4 their `or`, and none where one
 * has none; before 3.4 the `and` of the masks there are (`_Merge.compute_mask`).
 */
function mergedMask(call: LayerCall): Value | null {
  const masks = call.inputs.flatMap(({ mask }) => (mask === null ? [] : [mask]))
  const either = isSince(call.version, [3, 4])
  if (masks.length === 0 || (either && masks.length < call.inputs.length)) return null
  return masks.reduce((a, b) =>
    a.value === b.value
      ? a
      : unmasked(call.graph.binary(`${call.name}.mask`, either ? 'or' : 'and', a, b)),
  )
}

/** Values of fewer axes get new ones behind the first, as `_Merge.call` does. */
function aligned(call: LayerCall): readonly Result[] {
  const rank = call.inputs.reduce((most, { shape }) => Math.max(most, shape.length), 0)
  return call.inputs.map((x, i) => {
    const missing = rank - x.shape.length
    if (missing === 0) return x
    const shape: readonly Dim[] = [
      x.shape[0],
      ...Array.from({ length: missing }, () => 1),
      ...x.shape.slice(1),
    ]
    return call.graph.reshape(`${call.name}.in${i}`, x, shape)
  })
}

/** One alone would be an operation whose other argument was lost. */
function severalInputs(call: LayerCall): void {
  if (call.inputs.length < 2) throw unsupported(call, 'a merging layer with one input')
}

const elementwise = (mode: (MergeNode['mode'] & BinaryNode['op']) | 'average'): LayerEntry =>
  entry((call) => {
    const { graph, name } = call
    severalInputs(call)
    const values = aligned(call)
    const mask = mergedMask(call)
    if (mode === 'subtract' && values.length !== 2) throw unsupported(call, 'more than two inputs')
    if (values.every(({ shape }) => sameShape(shape, values[0].shape))) {
      const ports = Object.fromEntries(values.map((value, i) => [i, value]))
      return [{ ...graph.one(name, { kind: 'merge', mode }, ports), mask }]
    }
    const op = mode === 'average' ? 'add' : mode
    const total = values.reduce((a, b) => graph.binary(name, op, a, b))
    if (mode !== 'average') return [{ ...total, mask }]
    const count = constant(graph, `${name}.count`, scalar(values.length))
    return [{ ...graph.binary(name, 'divide', total, count), mask }]
  }, true)

const concatenate = entry((call) => {
  const { graph, name, settings, inputs } = call
  severalInputs(call)
  const rank = call.x.shape.length
  const key = settings.has('axis') ? 'axis' : 'concat_axis'
  const axis = axisOf(settings.has(key) ? settings.integers(key)[0] : -1, rank, name)
  const ports = Object.fromEntries(inputs.map((value, i) => [i, value]))
  const y =
    axis === rank - 1
      ? graph.one(name, { kind: 'merge', mode: 'concatenate' }, ports)
      : graph.one(name, { kind: 'concat', axis }, ports)
  return [{ ...y, mask: concatenatedMask(call, axis) }]
}, true)

/** A value without a mask counts in full. */
function concatenatedMask(call: LayerCall, axis: number): Value | null {
  const { graph, name, inputs } = call
  if (inputs.every(({ mask }) => mask === null)) return null
  if (axis === 0 || axis > 1) return mergedMask(call)
  const masks = inputs.map(({ shape, mask }, i): Result => {
    if (mask !== null) return mask
    const one = constant(graph, `${name}.one${i}`, scalar(1))
    return graph.one(`${name}.ones${i}`, { kind: 'expand', shape: shape.slice(0, 2) }, { x: one })
  })
  const ports = Object.fromEntries(masks.map((mask, i) => [i, mask]))
  return unmasked(graph.one(`${name}.mask`, { kind: 'concat', axis }, ports))
}

/** Products along one axis of each: `batch_dot`, for values of two or three axes. */
const dot = entry((call) => {
  const { graph, name, settings, inputs } = call
  const [a, b] = inputs
  if (inputs.length !== 2) throw unsupported(call, 'other than two inputs')
  const axes = settings.integers('axes')
  const first = axisOf(axes[0], a.shape.length, name)
  const second = axisOf(axes[1] ?? axes[0], b.shape.length, name)
  if (a.shape.length > 3 || b.shape.length > 3 || first === 0 || second === 0)
    throw unsupported(call, 'a product over these axes', axes.join(', '))
  const normalised = settings.bool('normalize', false)
  // [rows, kept, summed] · [rows, summed, kept]
  const matrix = (given: Value, side: string, axis: number, summedLast: boolean): Result => {
    const x = normalised ? unitLength(graph, `${name}.${side}`, given, axis) : given
    const [rows, ...rest] = x.shape
    if (rest.length === 1) {
      const shape = summedLast ? [rows, 1, rest[0]] : [rows, rest[0], 1]
      return graph.reshape(`${name}.${side}`, x, shape)
    }
    if ((axis === 2) === summedLast) return x
    return graph.transpose(`${name}.${side}`, x, [0, 2, 1])
  }
  const product = graph.one(
    `${name}.product`,
    { kind: 'matmul' },
    { a: matrix(a, 'a', first, true), b: matrix(b, 'b', second, false) },
  )
  const [rows, left, right] = product.shape
  const kept = [...(a.shape.length === 3 ? [left] : []), ...(b.shape.length === 3 ? [right] : [])]
  const shape = [rows, ...(kept.length === 0 ? [1] : kept)]
  if (shape.length === 3) return [{ ...product, mask: null }]
  return [{ ...graph.reshape(name, product, shape), mask: null }]
}, true)

/** x / √max(Σ x², 1e-12), `backend.l2_normalize`. */
function unitLength(graph: GraphBuilder, name: string, x: Result, axis: number): Result {
  const reduce = { kind: 'reduce', op: 'sumSquare', axes: [axis], keepAxes: true } as const
  const a = graph.one(`${name}.squares`, reduce, { x })
  const b = constant(graph, `${name}.least`, scalar(1e-12))
  const kept = graph.binary(`${name}.kept`, 'maximum', a, b)
  const length = graph.one(`${name}.length`, { kind: 'unary', op: 'sqrt' }, { x: kept })
  return graph.binary(`${name}.unit`, 'divide', x, length)
}

/** Keras 1 had one layer for all of them. */
const merge = entry((call) => {
  const mode = call.settings.get('mode')
  if (typeof mode !== 'string' || !Object.hasOwn(modesOfMerge, mode))
    throw unsupported(call, 'this way to merge', String(JSON.stringify(mode)).slice(0, 40))
  return modesOfMerge[mode].build(call)
}, true)

const modesOfMerge: Readonly<Record<string, LayerEntry>> = {
  sum: elementwise('add'),
  mul: elementwise('multiply'),
  ave: elementwise('average'),
  max: elementwise('maximum'),
  concat: concatenate,
}

export const mergingLayers: Readonly<Record<string, LayerEntry>> = {
  Add: elementwise('add'),
  Subtract: elementwise('subtract'),
  Multiply: elementwise('multiply'),
  Average: elementwise('average'),
  Maximum: elementwise('maximum'),
  Minimum: elementwise('minimum'),
  Concatenate: concatenate,
  Dot: dot,
  Merge: merge,
}
