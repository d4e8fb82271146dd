/**
 * Builds the operations that Keras 3 writes into functional models beside its layers: `2 * x`,
 * `ops.mean(x, axis=1)`, masks that are computed. Some have the names of layers and do something
 * else, so they have a table of their own. They ignore masks, and read every argument or refuse.
 * Source: `keras/src/ops/numpy.py`, `nn.py`, `core.py`, `math.py`.
 */

import { type Activation, activation } from '../../../model/activation/activations.ts'
import { sameShape } from '../../../model/shapes/shape.ts'
import type { BinaryNode, MergeNode, ReduceNode, UnaryNode } from '../../../model/types.ts'
import type { Tensor } from '../../../tensor.ts'
import type { Result } from '../graph.ts'
import { type Given, isValue, type LayerCall, type LayerEntry, unsupported } from '../layer.ts'
import {
  type Arguments,
  axesOf,
  axisIn,
  constantTensor,
  operation,
  plain,
  tensorOf,
  wholeOf,
} from './arguments.ts'
import { constant, scalar } from './core.ts'
import { shapeOperations } from './operation-shapes.ts'

type BinaryOp = BinaryNode['op']

const merging = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'] as const

function isMerging(op: BinaryOp): op is BinaryOp & MergeNode['mode'] {
  return (merging as readonly string[]).includes(op)
}

/** Whether a value is one vector for each row or step, so that it can run step by step. */
function isVector({ shape }: Result): boolean {
  return (shape.length === 2 || shape.length === 3) && typeof shape.at(-1) === 'number'
}

/** a ∘ b; with as little as possible that needs all steps at once. */
function combined(call: LayerCall, name: string, op: BinaryOp, a: Result, b: Result): Result {
  if (isMerging(op) && isVector(a) && sameShape(a.shape, b.shape))
    return call.graph.one(name, { kind: 'merge', mode: op }, { 0: a, 1: b })
  return call.graph.binary(name, op, a, b)
}

const binary = (op: BinaryOp): LayerEntry =>
  operation('x1 x2', (call, given) => {
    const [x1, x2] = [given('x1'), given('x2')]
    return (
      withConstant(call, op, x1, x2) ??
      combined(call, call.name, op, tensorOf(call, x1, 'x1'), tensorOf(call, x2, 'x2'))
    )
  })

/** A value and numbers as x ⊙ scale + shift, which runs step by step; null for other operands. */
function withConstant(
  call: LayerCall,
  op: BinaryOp,
  x1: Given | undefined,
  x2: Given | undefined,
): Result | null {
  const x = [x1, x2].find(isValue)
  const first = isValue(x2)
  const numbers = constantTensor(first ? x1 : x2, call.name)
  if (x === undefined || numbers === null || !isVector(x)) return null
  // One number for all, or one for each feature.
  const { shape, data } = numbers
  const size = data.length
  if (
    shape.length > x.shape.length ||
    (size > 1 && (shape.at(-1) !== size || size !== x.shape.at(-1)))
  )
    return null
  const each = (map: (number: number) => number): Tensor => ({
    shape: [size],
    data: Float64Array.from(data, map),
  })
  const weights = affineOf(op, first, each)
  return weights && call.graph.one(call.name, { kind: 'affine', weights }, { x })
}

function affineOf(
  op: BinaryOp,
  constantFirst: boolean,
  each: (map: (number: number) => number) => Tensor,
): { readonly scale: Tensor | null; readonly shift: Tensor | null } | null {
  if (op === 'add') return { scale: null, shift: each((c) => c) }
  if (op === 'multiply') return { scale: each((c) => c), shift: null }
  if (op === 'subtract')
    return constantFirst
      ? { scale: each(() => -1), shift: each((c) => c) }
      : { scale: null, shift: each((c) => -c) }
  return null
}

/** The opposite of a comparison. */
function negated({ graph, name }: LayerCall, x: Result): Result {
  return graph.one(name, { kind: 'unary', op: 'not' }, { x })
}

const notEqual = operation('x1 x2', (call, given) => {
  const [a, b] = [tensorOf(call, given('x1'), 'x1'), tensorOf(call, given('x2'), 'x2')]
  return negated(call, call.graph.binary(`${call.name}.equal`, 'equal', a, b))
})

const floorDivide = operation('x1 x2', (call, given) => {
  const [a, b] = [tensorOf(call, given('x1'), 'x1'), tensorOf(call, given('x2'), 'x2')]
  const x = call.graph.binary(`${call.name}.quotient`, 'divide', a, b)
  return call.graph.one(call.name, { kind: 'unary', op: 'floor' }, { x })
})

const where = operation('condition x1 x2', (call, given) => {
  const [condition, a, b] = ['condition', 'x1', 'x2'].map((port) =>
    tensorOf(call, given(port), port),
  )
  return call.graph.one(call.name, { kind: 'where' }, { condition, a, b })
})

const unary = (op: UnaryNode['op']): LayerEntry =>
  operation('x', (call, given) =>
    call.graph.one(call.name, { kind: 'unary', op }, { x: tensorOf(call, given('x'), 'x') }),
  )

const round = operation('x decimals', (call, given) => {
  if (wholeOf(call, given('decimals'), 'decimals', 0) !== 0)
    throw unsupported(call, 'rounding to decimals')
  return call.graph.one(
    call.name,
    { kind: 'unary', op: 'round' },
    { x: tensorOf(call, given('x'), 'x') },
  )
})

const negative = operation('x', (call, given) => scaled(call, tensorOf(call, given('x'), 'x'), -1))

function scaled({ graph, name }: LayerCall, x: Result, by: number): Result {
  const factor: Tensor = { shape: [1], data: Float64Array.of(by) }
  return isVector(x)
    ? graph.one(name, { kind: 'affine', weights: { scale: factor, shift: null } }, { x })
    : graph.binary(name, 'multiply', x, constant(graph, `${name}.factor`, scalar(by)))
}

const square = operation('x', (call, given) => {
  const x = tensorOf(call, given('x'), 'x')
  return combined(call, call.name, 'multiply', x, x)
})

const reciprocalRoot = operation('x', (call, given) => {
  const root = call.graph.one(
    `${call.name}.root`,
    { kind: 'unary', op: 'sqrt' },
    { x: tensorOf(call, given('x'), 'x') },
  )
  return call.graph.one(call.name, { kind: 'unary', op: 'reciprocal' }, { x: root })
})

const same = operation('x', (call, given) => tensorOf(call, given('x'), 'x'))

/** Numbers have no types here: 0 and 1 are what booleans are, and whole numbers stay as they are. */
const cast = operation('x dtype', (call, given) => {
  const { graph, name } = call
  const x = tensorOf(call, given('x'), 'x')
  const dtype = plain(given('dtype')) ?? 'float32'
  if (typeof dtype !== 'string') throw unsupported(call, 'this type of numbers')
  if (/^b?float(16|32|64)?$/.test(dtype)) return x
  if (dtype === 'bool') return negated(call, equalsZero(call, x))
  if (!/^u?int\d+$/.test(dtype)) throw unsupported(call, 'this type of numbers', dtype)
  // Towards zero: sign(x)·⌊|x|⌋.
  const one = (at: string, op: UnaryNode['op'], of: Result): Result =>
    graph.one(`${name}.${at}`, { kind: 'unary', op }, { x: of })
  const whole = one('whole', 'floor', one('size', 'abs', x))
  return graph.binary(name, 'multiply', one('sign', 'sign', x), whole)
})

function equalsZero({ graph, name }: LayerCall, x: Result): Result {
  return graph.binary(`${name}.equal`, 'equal', x, constant(graph, `${name}.zero`, scalar(0)))
}

const clip = operation('x x_min x_max', (call, given) => {
  const { graph, name } = call
  const least = tensorOf(call, given('x_min'), 'x_min')
  const most = tensorOf(call, given('x_max'), 'x_max')
  const above = graph.binary(`${name}.above`, 'maximum', tensorOf(call, given('x'), 'x'), least)
  return graph.binary(name, 'minimum', above, most)
})

function reduced(
  call: LayerCall,
  op: ReduceNode['op'],
  x: Result,
  given: Arguments,
  name = call.name,
): Result {
  const axes = axesOf(call, given('axis'), x.shape.length)
  const keepAxes = plain(given('keepdims')) === true
  return call.graph.one(name, { kind: 'reduce', op, axes, keepAxes }, { x })
}

const reduce = (op: ReduceNode['op']): LayerEntry =>
  operation('x axis keepdims', (call, given) =>
    reduced(call, op, tensorOf(call, given('x'), 'x'), given),
  )

/** Over what differs from 0, which is true. */
const truth = (op: 'max' | 'min'): LayerEntry =>
  operation('x axis keepdims', (call, given) => {
    const { graph, name } = call
    const equal = equalsZero(call, tensorOf(call, given('x'), 'x'))
    const x = graph.one(`${name}.true`, { kind: 'unary', op: 'not' }, { x: equal })
    return reduced(call, op, x, given)
  })

const average = operation('x weights axis', (call, given) => {
  if ((plain(given('weights')) ?? null) !== null || isValue(given('weights')))
    throw unsupported(call, 'an average with weights')
  return reduced(call, 'mean', tensorOf(call, given('x'), 'x'), given)
})

/** The mean of (x − mean)², or its root. */
const spread = (root: boolean): LayerEntry =>
  operation('x axis keepdims', (call, given) => {
    const { graph, name } = call
    const x = tensorOf(call, given('x'), 'x')
    const axes = axesOf(call, given('axis'), x.shape.length)
    const kept = { kind: 'reduce', op: 'mean', axes, keepAxes: true } as const
    const mean = graph.one(`${name}.mean`, kept, { x })
    const off = graph.binary(`${name}.off`, 'subtract', x, mean)
    const squares = graph.binary(`${name}.squares`, 'multiply', off, off)
    if (!root) return reduced(call, 'mean', squares, given)
    const variance = reduced(call, 'mean', squares, given, `${name}.variance`)
    return graph.one(name, { kind: 'unary', op: 'sqrt' }, { x: variance })
  })

/** x / max(√Σ x², epsilon). */
const normalize = operation('x axis order epsilon', (call, given) => {
  const { graph, name } = call
  if ((plain(given('order')) ?? 2) !== 2) throw unsupported(call, 'a norm of another order')
  const x = tensorOf(call, given('x'), 'x')
  const axes = axesOf(call, given('axis') ?? { constant: -1 }, x.shape.length)
  const length = graph.one(
    `${name}.length`,
    { kind: 'reduce', op: 'l2', axes, keepAxes: true },
    { x },
  )
  const least = tensorOf(call, given('epsilon') ?? { constant: 1e-7 }, 'epsilon')
  return graph.binary(name, 'divide', x, graph.binary(`${name}.kept`, 'maximum', length, least))
})

const elementwise = (kind: Parameters<typeof activation>[0]): LayerEntry =>
  operation('x', (call, given) => activated(call, given, activation(kind)))

function activated({ graph, name, ...call }: LayerCall, given: Arguments, act: Activation): Result {
  const x = tensorOf({ graph, name, ...call }, given('x'), 'x')
  return graph.one(name, { kind: 'activation', activation: act }, { x })
}

/** One parameter of the operation is one of the activation. */
const parametric = (
  kind: Parameters<typeof activation>[0],
  parameter: string,
  fallback: number,
  own: string,
): LayerEntry =>
  operation(`x ${parameter}`, (call, given) => {
    const value = plain(given(parameter)) ?? fallback
    if (typeof value !== 'number')
      throw unsupported(call, 'this argument of an operation', parameter)
    return activated(call, given, activation(kind, { [own]: value }))
  })

const gelu = operation('x approximate', (call, given) =>
  activated(
    call,
    given,
    activation((plain(given('approximate')) ?? true) === true ? 'gelu_tanh' : 'gelu'),
  ),
)

const softmax = (log: boolean): LayerEntry =>
  operation('x axis', (call, given) => {
    const { graph, name } = call
    const x = tensorOf(call, given('x'), 'x')
    const rank = x.shape.length
    const axis = axisIn(call, given('axis'), rank, -1)
    return axis === rank - 1 && !log
      ? graph.one(name, { kind: 'activation', activation: activation('softmax') }, { x })
      : graph.one(name, { kind: 'softmax', axis, log }, { x })
  })

const matmul = operation('x1 x2', (call, given) => {
  const [a, b] = [tensorOf(call, given('x1'), 'x1'), tensorOf(call, given('x2'), 'x2')]
  if (a.shape.length < 2 || b.shape.length < 2) throw unsupported(call, 'a product with a vector')
  return call.graph.one(call.name, { kind: 'matmul' }, { a, b })
})

const arithmetic: Readonly<Record<string, LayerEntry>> = {
  Add: binary('add'),
  Subtract: binary('subtract'),
  Multiply: binary('multiply'),
  Divide: binary('divide'),
  TrueDivide: binary('divide'),
  FloorDivide: floorDivide,
  Mod: binary('modulo'),
  Power: binary('power'),
  Maximum: binary('maximum'),
  Fmax: binary('maximum'),
  Minimum: binary('minimum'),
  Fmin: binary('minimum'),
  Equal: binary('equal'),
  NotEqual: notEqual,
  Greater: binary('greater'),
  GreaterEqual: binary('greaterOrEqual'),
  Less: binary('less'),
  LessEqual: binary('lessOrEqual'),
  LogicalAnd: binary('and'),
  LogicalOr: binary('or'),
  LogicalXor: binary('xor'),
  LogicalNot: unary('not'),
  Where: where,
  Absolute: unary('abs'),
  Abs: unary('abs'),
  Fabs: unary('abs'),
  Negative: negative,
  Reciprocal: unary('reciprocal'),
  Square: square,
  Sqrt: unary('sqrt'),
  Rsqrt: reciprocalRoot,
  Exp: elementwise('exponential'),
  Log: unary('log'),
  Sin: unary('sin'),
  Cos: unary('cos'),
  Erf: unary('erf'),
  Floor: unary('floor'),
  Ceil: unary('ceil'),
  Round: round,
  Sign: unary('sign'),
  Cast: cast,
  ConvertToTensor: same,
  Copy: same,
  StopGradient: operation('variable', (call, given) => tensorOf(call, given('variable'), 'x')),
  Clip: clip,
}

const reductions: Readonly<Record<string, LayerEntry>> = {
  Any: truth('max'),
  All: truth('min'),
  Max: reduce('max'),
  Amax: reduce('max'),
  Min: reduce('min'),
  Amin: reduce('min'),
  Mean: reduce('mean'),
  Average: average,
  Sum: reduce('sum'),
  Prod: reduce('product'),
  Logsumexp: reduce('logSumExp'),
  Var: spread(false),
  Std: spread(true),
  Normalize: normalize,
}

const activations: Readonly<Record<string, LayerEntry>> = {
  Relu: elementwise('relu'),
  Relu6: elementwise('relu6'),
  Sigmoid: elementwise('sigmoid'),
  Tanh: elementwise('tanh'),
  Softplus: elementwise('softplus'),
  Softsign: elementwise('softsign'),
  Silu: elementwise('silu'),
  LogSigmoid: elementwise('log_sigmoid'),
  HardSilu: elementwise('hard_silu'),
  HardTanh: elementwise('hard_tanh'),
  TanhShrink: elementwise('tanh_shrink'),
  Selu: elementwise('selu'),
  HardSigmoid: operation('x', (call, given) =>
    activated(call, given, activation('hard_sigmoid', { alpha: 1 / 6, beta: 0.5 })),
  ),
  LeakyRelu: parametric('leaky_relu', 'negative_slope', 0.2, 'alpha'),
  Elu: parametric('elu', 'alpha', 1, 'alpha'),
  Celu: parametric('celu', 'alpha', 1, 'alpha'),
  HardShrink: parametric('hard_shrink', 'threshold', 0.5, 'threshold'),
  SoftShrink: parametric('soft_shrink', 'threshold', 0.5, 'threshold'),
  Gelu: gelu,
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
}

/** The operations of `keras.ops`, by class. */
export const kerasOperations: Readonly<Record<string, LayerEntry>> = {
  ...arithmetic,
  ...reductions,
  ...activations,
  ...shapeOperations,
  Matmul: matmul,
}
