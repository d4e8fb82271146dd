/** Computes the activations that never decrease in float64: the part of `values.ts` that warnings need. */

import type { ElementwiseKind } from './activations.ts'

export const SELU_ALPHA = 1.6732632423543772
export const SELU_SCALE = 1.0507009873554805

export const clip = (a: number, low: number, high: number): number =>
  a < low ? low : a > high ? high : a
export const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
/** log(1 + eᵃ) without overflow. */
export const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))

/** φ(a), with the parameters in the order of `Activation.parameters`. */
export type ActivationValue = (a: number, p: readonly number[]) => number

export const monotoneValues = {
  linear: (a) => a,
  sigmoid: sigmoid,
  tanh: (a) => Math.tanh(a),
  relu: (a) => (a < 0 ? 0 : a),
  leaky_relu: (a, [alpha]) => (a < 0 ? alpha! * a : a),
  clipped_relu: (a, [max]) => clip(a, 0, max!),
  hard_sigmoid: (a, [alpha, beta]) => clip(alpha! * a + beta!, 0, 1),
  hard_tanh: (a) => clip(a, -1, 1),
  elu: (a, [alpha]) => (a < 0 ? alpha! * Math.expm1(a) : a),
  selu: (a) => SELU_SCALE * (a < 0 ? SELU_ALPHA * Math.expm1(a) : a),
  softplus: softplus,
  softsign: (a) => a / (1 + Math.abs(a)),
  exponential: (a) => Math.exp(a),
  log_sigmoid: (a) => -softplus(-a),
} as const satisfies Partial<Readonly<Record<ElementwiseKind, ActivationValue>>>
