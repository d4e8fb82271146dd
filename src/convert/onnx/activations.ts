/** Writes activations as ONNX operators, and as functions of its recurrent layers. */

import type { Activation, ElementwiseActivation } from '../../model/activation/activations.ts'
import type { LayerNode } from '../../model/types.ts'
import type { Named } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { parametersOf } from '../weights.ts'
import type { Attributes, OnnxBuilder } from './builder.ts'

type Numbers = Named<number>

type Emit = (g: OnnxBuilder, x: string, p: Numbers) => string

/**
 * The defaults of ONNX. They are left out where they apply: attributes are float32, and 0.2 would
 * be another number.
 */
const attributeDefaults: Readonly<Record<string, Numbers>> = {
  LeakyRelu: { alpha: 0.01 },
  ThresholdedRelu: { alpha: 1 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  Elu: { alpha: 1 },
  Celu: { alpha: 1 },
}

function areDefaults(type: string, p: Numbers): boolean {
  return Object.entries(p).every(([name, value]) => attributeDefaults[type]?.[name] === value)
}

/** A single operator whose attributes have the names of our parameters. */
function same(type: string): Emit {
  return (g, x, p) => {
    const stated = areDefaults(type, p) ? [] : Object.entries(p)
    return g.op(type, [x], Object.fromEntries(stated.map(([name, float]) => [name, { float }])))
  }
}

const emit: { readonly [K in Activation['kind']]: Emit } = {
  linear: (_, x) => x,
  sigmoid: same('Sigmoid'),
  tanh: same('Tanh'),
  relu: same('Relu'),
  leaky_relu: same('LeakyRelu'),
  thresholded_relu: same('ThresholdedRelu'),
  clipped_relu: (g, x, { max }) => g.op('Clip', [x, g.scalar(0), g.scalar(max)]),
  hard_sigmoid: same('HardSigmoid'),
  hard_tanh: (g, x) => g.op('Clip', [x, g.scalar(-1), g.scalar(1)]),
  affine: (g, x, { alpha, beta }) =>
    g.op('Add', [g.op('Mul', [x, g.scalar(alpha)]), g.scalar(beta)]),
  scaled_tanh: (g, x, { alpha, beta }) =>
    g.op('Mul', [g.op('Tanh', [g.op('Mul', [x, g.scalar(beta)])]), g.scalar(alpha)]),
  elu: same('Elu'),
  selu: same('Selu'),
  softplus: same('Softplus'),
  softsign: same('Softsign'),
  exponential: same('Exp'),
  silu: (g, x) => g.op('Mul', [x, g.op('Sigmoid', [x])]),
  gelu: (g, x) => {
    const erf = g.op('Erf', [g.op('Mul', [x, g.scalar(Math.SQRT1_2)])])
    return half(g, x, erf)
  },
  gelu_tanh: (g, x) => {
    const cube = g.op('Mul', [g.op('Mul', [g.op('Mul', [x, x]), x]), g.scalar(0.044715)])
    const inner = g.op('Mul', [g.op('Add', [x, cube]), g.scalar(Math.sqrt(2 / Math.PI))])
    return half(g, x, g.op('Tanh', [inner]))
  },
  mish: (g, x) => g.op('Mul', [x, g.op('Tanh', [g.op('Softplus', [x])])]),
  log_sigmoid: (g, x) => g.op('Neg', [g.op('Softplus', [g.op('Neg', [x])])]),
  hard_swish: (g, x) => g.op('HardSwish', [x]),
  celu: same('Celu'),
  tanh_shrink: (g, x) => g.op('Sub', [x, g.op('Tanh', [x])]),
  hard_shrink: (g, x, { threshold }) =>
    g.op('Shrink', [x], { lambd: { float: threshold }, bias: { float: 0 } }),
  soft_shrink: (g, x, { threshold }) =>
    g.op('Shrink', [x], { lambd: { float: threshold }, bias: { float: threshold } }),
  softmax: (g, x) => g.op('Softmax', [x], { axis: { int: -1 } }),
}

/** x·½·(1 + s) */
function half(g: OnnxBuilder, x: string, s: string): string {
  return g.op('Mul', [g.op('Mul', [x, g.scalar(0.5)]), g.op('Add', [s, g.scalar(1)])])
}

export function activate(g: OnnxBuilder, x: string, act: Activation): string {
  return emit[act.kind](g, x, parametersOf(act))
}

/** ONNX's names of the functions that a cell may have. */
const functions: Readonly<Partial<Record<Activation['kind'], string>>> = {
  linear: 'Affine',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  relu: 'Relu',
  leaky_relu: 'LeakyRelu',
  thresholded_relu: 'ThresholdedRelu',
  hard_sigmoid: 'HardSigmoid',
  affine: 'Affine',
  scaled_tanh: 'ScaledTanh',
  elu: 'Elu',
  softplus: 'Softplus',
  softsign: 'Softsign',
}

/** The attributes for the functions of a cell; none where they are the operator's defaults. */
export function cellFunctions(
  node: LayerNode,
  acts: readonly ElementwiseActivation[],
  defaults: readonly string[],
): Attributes {
  const names = acts.map(({ kind }) => {
    const name = functions[kind]
    if (name === undefined) throw cannotHold('ONNX', node, `a cell with the activation ${kind}`)
    return name
  })
  if (names.every((name, i) => name === defaults[i])) return {}
  const all = acts.map(
    (act): Numbers => (act.kind === 'linear' ? { alpha: 1, beta: 0 } : parametersOf(act)),
  )
  if (all.every((p, i) => areDefaults(names[i], p))) return { activations: { texts: names } }
  const floats = (key: string): readonly number[] => all.flatMap((each) => each[key] ?? [])
  return {
    activations: { texts: names },
    ...(floats('alpha').length > 0 && { activation_alpha: { floats: floats('alpha') } }),
    ...(floats('beta').length > 0 && { activation_beta: { floats: floats('beta') } }),
  }
}
