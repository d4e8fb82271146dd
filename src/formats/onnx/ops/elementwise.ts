/** Elementwise operators, with NumPy's broadcasting. */

import type { ElementwiseKind } from '../../../model/activation/activations.ts'
import type { UnaryNode } from '../../../model/types.ts'
import { besideLive, isVector } from '../align.ts'
import type { Operator, Operators } from '../op.ts'
import type { Value } from '../values.ts'
import {
  activated,
  type BinaryName,
  binary,
  number,
  power,
  selected,
  truncated,
  unary,
} from './arithmetic.ts'

const one =
  (op: BinaryName): Operator =>
  (o) => [binary(o.graph, op, o.input(0), o.input(1))]

const single =
  (op: UnaryNode['op']): Operator =>
  (o) => [unary(o.graph, op, o.input(0))]

/** All inputs together. */
const several =
  (op: BinaryName): Operator =>
  (o) => [
    o.inputs
      .slice(1)
      .reduce<Value>((a, _, i) => binary(o.graph, op, a, o.input(i + 1)), o.input(0)),
  ]

const act =
  (kind: ElementwiseKind, parameters: Readonly<Record<string, [string, number]>> = {}): Operator =>
  (o) => {
    const values = Object.entries(parameters).map(([own, [name, fallback]]) => [
      own,
      o.float(name, fallback),
    ])
    return [activated(o.graph, o.input(0), kind, Object.fromEntries(values))]
  }

export const elementwise: Operators = {
  Add: one('add'),
  Sub: one('subtract'),
  Mul: one('multiply'),
  Div: one('divide'),
  Mod: (o) => {
    const [a, b] = [o.input(0), o.input(1)]
    if (o.int('fmod', 0) === 0) return [binary(o.graph, 'modulo', a, b)]
    // The sign of the dividend, as C has it.
    const times = truncated(o.graph, binary(o.graph, 'divide', a, b))
    return [binary(o.graph, 'subtract', a, binary(o.graph, 'multiply', b, times))]
  },
  Max: several('maximum'),
  Min: several('minimum'),
  Sum: several('add'),
  Mean: (o) => {
    const [total] = several('add')(o)
    return [binary(o.graph, 'multiply', total!, number(1 / o.inputs.length))]
  },
  Greater: one('greater'),
  GreaterOrEqual: one('greaterOrEqual'),
  Less: one('less'),
  LessOrEqual: one('lessOrEqual'),
  Equal: one('equal'),
  And: one('and'),
  Or: one('or'),
  Xor: one('xor'),
  Pow: (o) => [power(o.graph, o.input(0), o.input(1))],
  Where: (o) => [selected(o.graph, o.input(0), o.input(1), o.input(2))],
  Not: single('not'),
  Neg: single('negative'),
  Abs: single('abs'),
  Sqrt: single('sqrt'),
  Exp: single('exp'),
  Log: single('log'),
  Sin: single('sin'),
  Cos: single('cos'),
  Erf: single('erf'),
  Floor: single('floor'),
  Ceil: single('ceil'),
  Round: single('round'),
  Sign: single('sign'),
  Reciprocal: single('reciprocal'),
  Relu: act('relu'),
  Sigmoid: act('sigmoid'),
  Tanh: act('tanh'),
  Softplus: act('softplus'),
  Softsign: act('softsign'),
  Mish: act('mish'),
  LeakyRelu: act('leaky_relu', { alpha: ['alpha', 0.01] }),
  ThresholdedRelu: act('thresholded_relu', { alpha: ['alpha', 1] }),
  Elu: act('elu', { alpha: ['alpha', 1] }),
  HardSigmoid: act('hard_sigmoid', { alpha: ['alpha', 0.2], beta: ['beta', 0.5] }),
  Celu: act('celu', { alpha: ['alpha', 1] }),
  Shrink: (o) => {
    const [threshold, bias] = [o.float('lambd', 0.5), o.float('bias', 0)]
    if (bias !== 0 && bias !== threshold)
      throw o.graph.unsupported(`Shrink with lambd ${threshold} and bias ${bias}`)
    return [
      activated(o.graph, o.input(0), bias === 0 ? 'hard_shrink' : 'soft_shrink', { threshold }),
    ]
  },
  Selu: (o) => {
    const [alpha, gamma] = [o.float('alpha', SELU_ALPHA), o.float('gamma', SELU_GAMMA)]
    if (
      Math.fround(alpha) === Math.fround(SELU_ALPHA) &&
      Math.fround(gamma) === Math.fround(SELU_GAMMA)
    )
      return [activated(o.graph, o.input(0), 'selu')]
    const elu = activated(o.graph, o.input(0), 'elu', { alpha })
    return [binary(o.graph, 'multiply', elu, number(gamma))]
  },
  HardSwish: act('hard_swish'),
  Gelu: (o) => [
    activated(
      o.graph,
      o.input(0),
      o.string('approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu',
    ),
  ],
  Clip: (o) => {
    const low = o.opset < 11 ? o.float('min', -Infinity) : (o.number(1, 'min') ?? -Infinity)
    const high = o.opset < 11 ? o.float('max', Infinity) : (o.number(2, 'max') ?? Infinity)
    const x = o.input(0)
    if (low === 0 && high === Infinity) return [activated(o.graph, x, 'relu')]
    if (low === 0) return [activated(o.graph, x, 'clipped_relu', { max: high })]
    if (low === -1 && high === 1) return [activated(o.graph, x, 'hard_tanh')]
    const above = low === -Infinity ? x : binary(o.graph, 'maximum', x, number(low))
    return [high === Infinity ? above : binary(o.graph, 'minimum', above, number(high))]
  },
  PRelu: (o) => {
    const [x, slope] = [o.input(0), o.input(1)]
    if (x.kind === 'live' && slope.kind === 'known') {
      const alpha = besideLive(o.graph, x, slope)
      if (alpha !== null && isVector(alpha.shape)) {
        const weights = { alpha: { ...alpha, shape: [alpha.data.length] } }
        return [{ ...x, value: o.graph.add({ kind: 'prelu', weights }, { x: x.value }).y }]
      }
    }
    const negative = binary(o.graph, 'multiply', slope, binary(o.graph, 'minimum', x, number(0)))
    return [binary(o.graph, 'add', activated(o.graph, x, 'relu'), negative)]
  },
}

const SELU_ALPHA = 1.6732632423543772
const SELU_GAMMA = 1.0507009873554805
