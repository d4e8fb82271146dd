/**
 * Builds the operations that Keras 3 writes into functional models beside its layers: `x + y`,
 * `x[:, -1]`, `ops.mean(x, axis=1)`, masks that are computed. Some have the names of layers and do
 * something else, so they have a table of their own. They ignore masks.
 * Source: `keras/src/ops/numpy.py`, `keras/src/ops/nn.py`.
 */

import { activation } from '../../../model/activation/activations.ts'
import type { BinaryNode } from '../../../model/types.ts'
import { axisOf, type Result } from '../graph.ts'
import {
  type Builder,
  constantIn,
  entry,
  type Given,
  isValue,
  type LayerCall,
  type LayerEntry,
  unsupported,
} from '../layer.ts'
import { constant, scalar } from './core.ts'

const operation = (build: Builder): LayerEntry => entry(build, false)

const binary = (op: BinaryNode['op']): LayerEntry =>
  operation((call) => {
    const [a, b] = sidesOf(call)
    return [call.graph.binary(call.name, op, a, b)]
  })

/** Two values, or a value and a number. */
function sidesOf(call: LayerCall): readonly [Result, Result] {
  const sides = call.args.map((arg, i): Result => {
    if (isValue(arg)) return arg
    const value = constantIn(arg)
    if (typeof value !== 'number') throw unsupported(call, 'this argument of an operation')
    return constant(call.graph, `${call.name}.constant${i}`, scalar(value))
  })
  if (sides.length !== 2) throw unsupported(call, 'these arguments')
  return [sides[0], sides[1]]
}

const notEqual = operation((call) => {
  const { graph, name } = call
  const [a, b] = sidesOf(call)
  const equal = graph.binary(`${name}.equal`, 'equal', a, b)
  return [graph.one(name, { kind: 'unary', op: 'not' }, { x: equal })]
})

/** An argument by its name: of the call, or of the operation's configuration. */
function argument(call: LayerCall, name: string): unknown {
  return constantIn(call.kwargs[name]) ?? call.settings.get(name)
}

function axesIn(call: LayerCall, rank: number): readonly number[] {
  const given = argument(call, 'axis') ?? null
  const list = Array.isArray(given) ? given : [given]
  const axes = list.map((axis) => (Number.isInteger(axis) ? axisOf(axis, rank, call.name) : 0))
  if (axes.length === 0 || axes.includes(0)) throw unsupported(call, 'an operation over all rows')
  return axes
}

const reduce = (op: 'max' | 'mean' | 'sum'): LayerEntry =>
  operation((call) => {
    const axes = axesIn(call, call.x.shape.length)
    const keepAxes = argument(call, 'keepdims') === true
    return [call.graph.one(call.name, { kind: 'reduce', op, axes, keepAxes }, { x: call.x })]
  })

const elementwise = (kind: 'relu' | 'sigmoid' | 'tanh'): LayerEntry =>
  operation(({ graph, name, x }) => [
    graph.one(name, { kind: 'activation', activation: activation(kind) }, { x }),
  ])

const softmax = operation((call) => {
  const [axis] = axesIn(call, call.x.shape.length)
  return [call.graph.one(call.name, { kind: 'softmax', axis, log: false }, { x: call.x })]
})

const expandDims = operation((call) => {
  const { graph, name, x } = call
  const [axis] = axesIn(call, x.shape.length + 1)
  return [graph.reshape(name, x, x.shape.toSpliced(axis, 0, 1))]
})

const squeeze = operation((call) => {
  const { graph, name, x } = call
  const axes = axesIn(call, x.shape.length)
  if (axes.some((axis) => x.shape[axis] !== 1)) throw unsupported(call, 'an axis of more than one')
  const shape = x.shape.filter((_, i) => !axes.includes(i))
  return [graph.reshape(name, x, shape)]
})

/** `x[:, -1]`: whole numbers and slices, one for each of the first axes. */
const getItem = operation((call) => {
  const { graph, name, x } = call
  const given = call.args[1] ?? call.kwargs.key
  const keys = (Array.isArray(given) ? (given as readonly Given[]) : [given]).map(keyOf)
  if (keys.length > x.shape.length || keys.includes(null) || keys[0]?.drop !== false)
    throw unsupported(call, 'this way to pick from a tensor')
  const slices = keys.flatMap((key, axis) => {
    const { start, end, step } = key!
    return start === null && end === null && step === 1 ? [] : [{ axis, start, end, step }]
  })
  if (slices[0]?.axis === 0) throw unsupported(call, 'a choice of rows')
  const y = slices.length === 0 ? x : graph.one(name, { kind: 'slice', slices }, { x })
  const shape = y.shape.filter((_, i) => keys[i]?.drop !== true)
  if (shape.length === y.shape.length) return [{ value: y.value, shape: y.shape, mask: null }]
  return [graph.reshape(`${name}.item`, y, shape)]
})

interface Key {
  readonly start: number | null
  readonly end: number | null
  readonly step: number
  /** Whether the axis is dropped, because a single place was picked. */
  readonly drop: boolean
}

function keyOf(given: Given | undefined): Key | null {
  const key = constantIn(given)
  if (Number.isInteger(key)) {
    const start = key as number
    return { start, end: start === -1 ? null : start + 1, step: 1, drop: true }
  }
  const { class_name: kind, config } = (key ?? {}) as {
    class_name?: unknown
    config?: { start?: unknown; stop?: unknown; step?: unknown }
  }
  if (kind !== '__slice__' || typeof config !== 'object') return null
  const { start = null, stop = null, step } = config
  const whole = (value: unknown): value is number | null =>
    value === null || Number.isInteger(value)
  if (!whole(start) || !whole(stop) || !whole(step ?? 1) || step === 0) return null
  return { start, end: stop, step: (step as number | null | undefined) ?? 1, drop: false }
}

export const operations: Readonly<Record<string, LayerEntry>> = {
  Add: binary('add'),
  Subtract: binary('subtract'),
  Multiply: binary('multiply'),
  Divide: binary('divide'),
  TrueDivide: binary('divide'),
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  NotEqual: notEqual,
  Any: reduce('max'),
  Max: reduce('max'),
  Mean: reduce('mean'),
  Sum: reduce('sum'),
  Relu: elementwise('relu'),
  Sigmoid: elementwise('sigmoid'),
  Tanh: elementwise('tanh'),
  Softmax: softmax,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  GetItem: getItem,
}
