/**
 * Computes activations in float64, as the oracle has them: written to be compared with the formulas in
 * `table.ts`. The engines have their own, made of operations that give the same bits on every machine.
 */

import type { ElementwiseKind } from './activations.ts'
import { type ActivationValue, clip, monotoneValues, sigmoid, softplus } from './monotone.ts'

export const activationValues = {
  ...monotoneValues,
  thresholded_relu: (a, [alpha]) => (a <= alpha! ? 0 : a),
  affine: (a, [alpha, beta]) => alpha! * a + beta!,
  scaled_tanh: (a, [alpha, beta]) => alpha! * Math.tanh(beta! * a),
  silu: (a) => a * sigmoid(a),
  gelu: (a) => 0.5 * a * (1 + erf(a * Math.SQRT1_2)),
  gelu_tanh: (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a))),
  mish: (a) => a * Math.tanh(softplus(a)),
  hard_swish: (a) => a * clip(a / 6 + 0.5, 0, 1),
  celu: (a, [alpha]) => (a < 0 ? alpha! * Math.expm1(a / alpha!) : a),
  tanh_shrink: (a) => a - Math.tanh(a),
  hard_shrink: (a, [threshold]) => (Math.abs(a) <= threshold! ? 0 : a),
  soft_shrink: (a, [threshold]) =>
    Math.abs(a) <= threshold! ? 0 : a < 0 ? a + threshold! : a - threshold!,
} as const satisfies Readonly<Record<ElementwiseKind, ActivationValue>>

/**
 * The error function to full float64 precision: its Taylor series where that converges fast, the
 * continued fraction of erfc beyond. It is slow and simple, for the oracle only.
 * Source: DLMF 7.6.1 and 7.9.1.
 */
function erf(x: number): number {
  const t = Math.abs(x)
  if (!(t < 6)) return Number.isNaN(x) ? x : Math.sign(x)
  if (t < 2.5) {
    let term = t
    let sum = t
    for (let k = 1; k < 200 && Math.abs(term) > 1e-20 * sum; k++) {
      // 2/√π·e^(−x²)·Σ 2^k·x^(2k+1)/(2k+1)!! has only positive terms: nothing cancels (DLMF 7.6.2).
      term *= (2 * t * t) / (2 * k + 1)
      sum += term
    }
    return (Math.sign(x) * 2 * Math.exp(-t * t) * sum) / Math.sqrt(Math.PI)
  }
  let fraction = t
  for (let k = 60; k > 0; k--) fraction = t + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-t * t) / (Math.sqrt(Math.PI) * fraction))
}
