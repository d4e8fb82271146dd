/**
 * The table of activations: the name, formula and float64 value of each.
 *
 * Formulas: the Keras 3 `keras.activations` documentation and the ONNX operator specification.
 */

import { activationParameters, type ElementwiseKind } from './activations.ts'
import { SELU_ALPHA, SELU_SCALE } from './monotone.ts'
import { activationValues } from './values.ts'

/** In terms of the pre-activation `a` and the parameters by name. */
const formulas = {
  linear: 'a',
  sigmoid: '1 / (1 + e^(−a))',
  tanh: 'tanh(a)',
  relu: 'max(a, 0)',
  leaky_relu: 'a ≥ 0: a; else alpha·a',
  thresholded_relu: 'a > alpha: a; else 0',
  clipped_relu: 'min(max(a, 0), max)',
  hard_sigmoid: 'min(max(alpha·a + beta, 0), 1)',
  hard_tanh: 'min(max(a, −1), 1)',
  affine: 'alpha·a + beta',
  scaled_tanh: 'alpha·tanh(beta·a)',
  elu: 'a ≥ 0: a; else alpha·(e^a − 1)',
  selu: `${SELU_SCALE}·(a ≥ 0: a; else ${SELU_ALPHA}·(e^a − 1))`,
  softplus: 'log(1 + e^a)',
  softsign: 'a / (1 + |a|)',
  exponential: 'e^a',
  silu: 'a·σ(a)',
  gelu: 'a·½·(1 + erf(a/√2))',
  gelu_tanh: 'a·½·(1 + tanh(√(2/π)·(a + 0.044715·a³)))',
  mish: 'a·tanh(log(1 + e^a))',
  log_sigmoid: 'log(σ(a))',
  hard_swish: 'a·min(max(a/6 + ½, 0), 1)',
  celu: 'a ≥ 0: a; else alpha·(e^(a/alpha) − 1)',
  tanh_shrink: 'a − tanh(a)',
  hard_shrink: '|a| > threshold: a; else 0',
  soft_shrink: '|a| > threshold: a − threshold·sign(a); else 0',
} as const satisfies Readonly<Record<ElementwiseKind, string>>

type ActivationTable = {
  readonly [K in ElementwiseKind]: {
    readonly formula: (typeof formulas)[K]
    /** Names and defaults, in the order in which `Activation.parameters` holds them. */
    readonly parameters: (typeof activationParameters)[K]
    readonly value: (typeof activationValues)[K]
  }
}

export const activationTable = Object.fromEntries(
  (Object.keys(formulas) as ElementwiseKind[]).map((kind) => [
    kind,
    {
      formula: formulas[kind],
      parameters: activationParameters[kind],
      value: activationValues[kind],
    },
  ]),
) as ActivationTable
