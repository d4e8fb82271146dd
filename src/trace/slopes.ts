/**
 * The derivative of every elementwise activation, to be read beside the formulas of
 * `model/activation/table.ts`. At a kink it is the slope of the branch that gives the value.
 */

import type { ElementwiseActivation, ElementwiseKind } from '../model/activation/activations.ts'
import { SELU_ALPHA, SELU_SCALE } from '../model/activation/monotone.ts'
import { activationTable } from '../model/activation/table.ts'

/** dφ/da at the pre-activation a, with the activation's parameters. */
type Slope = (a: number, p: readonly number[]) => number

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
/** σ·(1 − σ), written so that nothing cancels on either side. */
const sigmoidSlope = (a: number): number => {
  const e = Math.exp(-Math.abs(a))
  return e / ((1 + e) * (1 + e))
}
/** 1 − tanh², likewise: 4·σ'(2a). */
const tanhSlope = (a: number): number => 4 * sigmoidSlope(2 * a)
const within = (a: number, low: number, high: number): number => (a < low || a > high ? 0 : 1)

const slopes: Readonly<Record<ElementwiseKind, Slope>> = {
  linear: () => 1,
  sigmoid: sigmoidSlope,
  tanh: tanhSlope,
  relu: (a) => (a < 0 ? 0 : 1),
  leaky_relu: (a, [alpha]) => (a < 0 ? alpha : 1),
  thresholded_relu: (a, [alpha]) => (a <= alpha ? 0 : 1),
  clipped_relu: (a, [max]) => within(a, 0, max),
  hard_sigmoid: (a, [alpha, beta]) => alpha * within(alpha * a + beta, 0, 1),
  hard_tanh: (a) => within(a, -1, 1),
  affine: (_, [alpha]) => alpha,
  scaled_tanh: (a, [alpha, beta]) => alpha * beta * tanhSlope(beta * a),
  elu: (a, [alpha]) => (a < 0 ? alpha * Math.exp(a) : 1),
  selu: (a) => SELU_SCALE * (a < 0 ? SELU_ALPHA * Math.exp(a) : 1),
  softplus: sigmoid,
  softsign: (a) => 1 / (1 + Math.abs(a)) ** 2,
  exponential: (a) => Math.exp(a),
  // σ + a·σ'
  silu: (a) => sigmoid(a) + a * sigmoidSlope(a),
  // Φ(a) + a·e^(−a²/2)/√(2π), where a·Φ(a) is the value
  gelu: (a) =>
    (a === 0 ? 0.5 : activationTable.gelu.value(a) / a) +
    (a * Math.exp(-0.5 * a * a)) / Math.sqrt(2 * Math.PI),
  gelu_tanh: (a) => {
    const scale = Math.sqrt(2 / Math.PI)
    const inner = scale * (a + 0.044715 * a * a * a)
    const innerSlope = scale * (1 + 3 * 0.044715 * a * a)
    return 0.5 * (1 + Math.tanh(inner)) + 0.5 * a * tanhSlope(inner) * innerSlope
  },
  // tanh(s) + a·(1 − tanh²(s))·σ(a), with s = log(1 + e^a)
  mish: (a) => {
    const s = Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))
    return Math.tanh(s) + a * tanhSlope(s) * sigmoid(a)
  },
  log_sigmoid: (a) => sigmoid(-a),
  hard_swish: (a) => (a <= -3 ? 0 : a >= 3 ? 1 : a / 3 + 0.5),
  celu: (a, [alpha]) => (a < 0 ? Math.exp(a / alpha) : 1),
  tanh_shrink: (a) => 1 - tanhSlope(a),
  hard_shrink: (a, [threshold]) => (Math.abs(a) <= threshold ? 0 : 1),
  soft_shrink: (a, [threshold]) => (Math.abs(a) <= threshold ? 0 : 1),
}

/** dφ/da for each pre-activation. */
export function slopeOf({ kind, parameters }: ElementwiseActivation): (a: number) => number {
  const slope = slopes[kind]
  return (a) => slope(a, parameters)
}
