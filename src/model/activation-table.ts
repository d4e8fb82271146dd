/**
 * THE table of activations: what each is called, its formula, and its value in float64.
 *
 * `value` is the oracle's version, written to be compared with the formula beside it; the engines
 * have their own, made of operations whose bits are the same on every machine.
 * Formulas: the Keras 3 `keras.activations` documentation and the ONNX operator specification.
 */

import { type ElementwiseKind, activationParameters as parameters } from './activations.ts'

interface ActivationEntry {
  /** In terms of the pre-activation `a` and the parameters named in `parameters`. */
  readonly formula: string
  /** Names and defaults, in the order in which `Activation.parameters` holds them. */
  readonly parameters: Readonly<Record<string, number>>
  readonly value: (a: number, p: readonly number[]) => number
}

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805

const clip = (a: number, low: number, high: number): number => (a < low ? low : a > high ? high : a)
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
/** log(1 + eᵃ) without overflow. */
const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))

export const activationTable = {
  linear: { formula: 'a', parameters: parameters.linear, value: (a) => a },
  sigmoid: { formula: '1 / (1 + e^(−a))', parameters: parameters.sigmoid, value: sigmoid },
  tanh: { formula: 'tanh(a)', parameters: parameters.tanh, value: (a) => Math.tanh(a) },
  relu: { formula: 'max(a, 0)', parameters: parameters.relu, value: (a) => (a < 0 ? 0 : a) },
  leaky_relu: {
    formula: 'a ≥ 0: a; else alpha·a',
    parameters: parameters.leaky_relu,
    value: (a, [alpha]) => (a < 0 ? alpha! * a : a),
  },
  thresholded_relu: {
    formula: 'a > alpha: a; else 0',
    parameters: parameters.thresholded_relu,
    value: (a, [alpha]) => (a <= alpha! ? 0 : a),
  },
  clipped_relu: {
    formula: 'min(max(a, 0), max)',
    parameters: parameters.clipped_relu,
    value: (a, [max]) => clip(a, 0, max!),
  },
  hard_sigmoid: {
    formula: 'min(max(alpha·a + beta, 0), 1)',
    parameters: parameters.hard_sigmoid,
    value: (a, [alpha, beta]) => clip(alpha! * a + beta!, 0, 1),
  },
  hard_tanh: {
    formula: 'min(max(a, −1), 1)',
    parameters: parameters.hard_tanh,
    value: (a) => clip(a, -1, 1),
  },
  affine: {
    formula: 'alpha·a + beta',
    parameters: parameters.affine,
    value: (a, [alpha, beta]) => alpha! * a + beta!,
  },
  scaled_tanh: {
    formula: 'alpha·tanh(beta·a)',
    parameters: parameters.scaled_tanh,
    value: (a, [alpha, beta]) => alpha! * Math.tanh(beta! * a),
  },
  elu: {
    formula: 'a ≥ 0: a; else alpha·(e^a − 1)',
    parameters: parameters.elu,
    value: (a, [alpha]) => (a < 0 ? alpha! * Math.expm1(a) : a),
  },
  selu: {
    formula: `${SELU_SCALE}·(a ≥ 0: a; else ${SELU_ALPHA}·(e^a − 1))`,
    parameters: parameters.selu,
    value: (a) => SELU_SCALE * (a < 0 ? SELU_ALPHA * Math.expm1(a) : a),
  },
  softplus: { formula: 'log(1 + e^a)', parameters: parameters.softplus, value: softplus },
  softsign: {
    formula: 'a / (1 + |a|)',
    parameters: parameters.softsign,
    value: (a) => a / (1 + Math.abs(a)),
  },
  exponential: { formula: 'e^a', parameters: parameters.exponential, value: (a) => Math.exp(a) },
  silu: { formula: 'a·σ(a)', parameters: parameters.silu, value: (a) => a * sigmoid(a) },
  gelu: {
    formula: 'a·½·(1 + erf(a/√2))',
    parameters: parameters.gelu,
    value: (a) => 0.5 * a * (1 + erf(a * Math.SQRT1_2)),
  },
  gelu_tanh: {
    formula: 'a·½·(1 + tanh(√(2/π)·(a + 0.044715·a³)))',
    parameters: parameters.gelu_tanh,
    value: (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a))),
  },
  mish: {
    formula: 'a·tanh(log(1 + e^a))',
    parameters: parameters.mish,
    value: (a) => a * Math.tanh(softplus(a)),
  },
  log_sigmoid: {
    formula: 'log(σ(a))',
    parameters: parameters.log_sigmoid,
    value: (a) => -softplus(-a),
  },
  /** Keras 3's and PyTorch's hard_silu. */
  hard_swish: {
    formula: 'a·min(max(a/6 + ½, 0), 1)',
    parameters: parameters.hard_swish,
    value: (a) => a * clip(a / 6 + 0.5, 0, 1),
  },
  celu: {
    formula: 'a ≥ 0: a; else alpha·(e^(a/alpha) − 1)',
    parameters: parameters.celu,
    value: (a, [alpha]) => (a < 0 ? alpha! * Math.expm1(a / alpha!) : a),
  },
  tanh_shrink: {
    formula: 'a − tanh(a)',
    parameters: parameters.tanh_shrink,
    value: (a) => a - Math.tanh(a),
  },
  hard_shrink: {
    formula: '|a| > threshold: a; else 0',
    parameters: parameters.hard_shrink,
    value: (a, [threshold]) => (Math.abs(a) <= threshold! ? 0 : a),
  },
  soft_shrink: {
    formula: '|a| > threshold: a − threshold·sign(a); else 0',
    parameters: parameters.soft_shrink,
    value: (a, [threshold]) =>
      Math.abs(a) <= threshold! ? 0 : a < 0 ? a + threshold! : a - threshold!,
  },
} as const satisfies Record<ElementwiseKind, ActivationEntry>

/**
 * The error function to full float64 precision: its Taylor series where that converges fast, the
 * continued fraction of erfc beyond. Slow and plain, for the oracle only.
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
