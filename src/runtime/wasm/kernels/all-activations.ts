/** Writes every activation lane by lane: the formulas of `js/ops32.ts`, a row for each. */

import type { ElementwiseKind } from '../../../model/activation/activations.ts'
import { clampUnit, coreActivations } from './activations.ts'
import {
  type ActivationWriter,
  clamp,
  type Elementary,
  type Emitter,
  madd,
  type Result,
  splat,
  toLocal,
  type Vector,
} from './emitter.ts'

/** The writers of all activations, given the elementary functions that the core does without. */
export const allActivations = ({
  erf,
  expm1,
  softplus,
}: Readonly<Record<'erf' | 'expm1' | 'softplus', Elementary>>): Readonly<
  Record<ElementwiseKind, ActivationWriter>
> => ({
  ...coreActivations,
  leaky_relu: (k, a, [alpha]) => below(k, a, k.f.float.mul(splat(k, alpha), a)),
  thresholded_relu: (k, a, [alpha]) => k.f.v128.andnot(a, k.f.float.le(a, splat(k, alpha))),
  clipped_relu(k, a, [max]) {
    const { float, v128 } = k.f
    return v128.andnot(float.pmin(a, splat(k, max)), float.lt(a, splat(k, 0)))
  },
  hard_tanh: (k, a) => clamp(k, a, -1, 1),
  affine: (k, a, [alpha, beta]) => madd(k, a, splat(k, alpha), beta),
  scaled_tanh(k, a, [alpha, beta]) {
    const inner = toLocal(k, k.f.float.mul(a, splat(k, beta)))
    return k.f.float.mul(k.elementary.tanh(k, inner), splat(k, alpha))
  },
  elu: (k, a, [alpha]) => below(k, a, k.f.float.mul(expm1(k, a), splat(k, alpha))),
  selu(k, a) {
    const inner = below(k, a, k.f.float.mul(expm1(k, a), splat(k, 1.6732632423543772)))
    return k.f.float.mul(inner, splat(k, 1.0507009873554805))
  },
  softplus,
  softsign(k, a) {
    const { float } = k.f
    return float.div(a, float.add(float.abs(a), splat(k, 1)))
  },
  exponential: (k, a) => k.elementary.exp(k, a),
  silu: (k, a) => k.f.float.mul(k.elementary.sigmoid(k, a), a),
  gelu(k, a) {
    const { float } = k.f
    const inner = toLocal(k, float.mul(a, splat(k, Math.SQRT1_2)))
    const above = toLocal(k, float.add(erf(k, inner), splat(k, 1)))
    return float.mul(float.mul(a, splat(k, 0.5)), above)
  },
  gelu_tanh(k, a) {
    const { float } = k.f
    const cube = float.mul(float.mul(a, a), a)
    const sum = madd(k, cube, splat(k, 0.044715), a)
    const inner = toLocal(k, float.mul(sum, splat(k, Math.sqrt(8 / Math.PI))))
    return float.mul(k.elementary.sigmoid(k, inner), a)
  },
  mish(k, a) {
    const inner = toLocal(k, softplus(k, a))
    return k.f.float.mul(k.elementary.tanh(k, inner), a)
  },
  log_sigmoid(k, a) {
    const inner = toLocal(k, k.f.float.neg(a))
    return k.f.float.neg(softplus(k, inner))
  },
  hard_swish(k, a) {
    const share = toLocal(k, clampUnit(k, madd(k, a, splat(k, 1 / 6), 0.5)))
    return k.f.float.mul(a, share)
  },
  celu(k, a, [alpha]) {
    const inner = toLocal(k, k.f.float.div(a, splat(k, alpha)))
    return below(k, a, k.f.float.mul(expm1(k, inner), splat(k, alpha)))
  },
  tanh_shrink(k, a) {
    const inner = toLocal(k, k.elementary.tanh(k, a))
    return k.f.float.sub(a, inner)
  },
  hard_shrink: (k, a, [threshold]) => outside(k, a, k.f.local.get(a), threshold),
  soft_shrink(k, a, [threshold]) {
    const { float } = k.f
    const less = toLocal(k, float.sub(a, splat(k, threshold)))
    return outside(k, a, below(k, less, float.add(a, splat(k, threshold)), a), threshold)
  },
})

/** sign < 0 ? value : a */
function below(k: Emitter, a: Vector, value: Result, sign = a): Result {
  const { float, v128 } = k.f
  const other = toLocal(k, value)
  return v128.bitselect(other, a, float.lt(sign, splat(k, 0)))
}

/** |a| ≤ threshold ? 0 : value */
function outside(k: Emitter, a: Vector, value: Result, threshold: number): Result {
  const { float, v128 } = k.f
  const kept = toLocal(k, value)
  return v128.andnot(kept, float.le(float.abs(a), splat(k, threshold)))
}
