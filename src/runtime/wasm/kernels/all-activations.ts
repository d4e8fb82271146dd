/** Activations, lane by lane: the formulas of `js/ops32.ts`, a row for each. */

import type { ElementwiseKind } from '../../../model/activations.ts'
import { type ActivationWriter, activations } from './activations.ts'
import { all, clamp, hold, type Lanes, madd, type Result, type Vector } from './lanes.ts'

export const allActivations: Readonly<Record<ElementwiseKind, ActivationWriter>> = {
  ...activations,
  leaky_relu: (k, a, [alpha]) => below(k, a, k.f.float.mul(all(k, alpha), a)),
  thresholded_relu: (k, a, [alpha]) => k.f.v128.andnot(a, k.f.float.le(a, all(k, alpha))),
  clipped_relu(k, a, [max]) {
    const { float, v128 } = k.f
    return v128.andnot(float.pmin(a, all(k, max)), float.lt(a, all(k, 0)))
  },
  hard_sigmoid: (k, a, [alpha, beta]) => clampUnit(k, madd(k, a, all(k, alpha), beta)),
  hard_tanh: (k, a) => clamp(k, a, -1, 1),
  affine: (k, a, [alpha, beta]) => madd(k, a, all(k, alpha), beta),
  scaled_tanh(k, a, [alpha, beta]) {
    const inner = hold(k, k.f.float.mul(a, all(k, beta)))
    return k.f.float.mul(k.elementary.tanh(k, inner), all(k, alpha))
  },
  elu: (k, a, [alpha]) => below(k, a, k.f.float.mul(k.elementary.expm1!(k, a), all(k, alpha))),
  selu(k, a) {
    const inner = below(k, a, k.f.float.mul(k.elementary.expm1!(k, a), all(k, 1.6732632423543772)))
    return k.f.float.mul(inner, all(k, 1.0507009873554805))
  },
  softplus: (k, a) => k.elementary.softplus!(k, a),
  softsign(k, a) {
    const { float } = k.f
    return float.div(a, float.add(float.abs(a), all(k, 1)))
  },
  exponential: (k, a) => k.elementary.exp!(k, a),
  silu: (k, a) => k.f.float.mul(k.elementary.sigmoid(k, a), a),
  gelu(k, a) {
    const { float } = k.f
    const inner = hold(k, float.mul(a, all(k, Math.SQRT1_2)))
    const above = hold(k, float.add(k.elementary.erf!(k, inner), all(k, 1)))
    return float.mul(float.mul(a, all(k, 0.5)), above)
  },
  gelu_tanh(k, a) {
    const { float } = k.f
    const cube = float.mul(float.mul(a, a), a)
    const sum = madd(k, cube, all(k, 0.044715), a)
    const inner = hold(k, float.mul(sum, all(k, Math.sqrt(8 / Math.PI))))
    return float.mul(k.elementary.sigmoid(k, inner), a)
  },
  mish(k, a) {
    const inner = hold(k, k.elementary.softplus!(k, a))
    return k.f.float.mul(k.elementary.tanh(k, inner), a)
  },
  log_sigmoid(k, a) {
    const inner = hold(k, k.f.float.neg(a))
    return k.f.float.neg(k.elementary.softplus!(k, inner))
  },
  hard_swish(k, a) {
    const share = hold(k, clampUnit(k, madd(k, a, all(k, 1 / 6), 0.5)))
    return k.f.float.mul(a, share)
  },
  celu(k, a, [alpha]) {
    const inner = hold(k, k.f.float.div(a, all(k, alpha)))
    return below(k, a, k.f.float.mul(k.elementary.expm1!(k, inner), all(k, alpha)))
  },
  tanh_shrink(k, a) {
    const inner = hold(k, k.elementary.tanh(k, a))
    return k.f.float.sub(a, inner)
  },
  hard_shrink: (k, a, [threshold]) => outside(k, a, k.f.local.get(a), threshold),
  soft_shrink(k, a, [threshold]) {
    const { float } = k.f
    const less = hold(k, float.sub(a, all(k, threshold)))
    return outside(k, a, below(k, less, float.add(a, all(k, threshold)), a), threshold)
  },
}

/** sign < 0 ? value : a */
function below(k: Lanes, a: Vector, value: Result, sign = a): Result {
  const { float, v128 } = k.f
  const other = hold(k, value)
  return v128.bitselect(other, a, float.lt(sign, all(k, 0)))
}

/** |a| ≤ threshold ? 0 : value */
function outside(k: Lanes, a: Vector, value: Result, threshold: number): Result {
  const { float, v128 } = k.f
  const kept = hold(k, value)
  return v128.andnot(kept, float.le(float.abs(a), all(k, threshold)))
}

/** a < 0 ? 0 : a > 1 ? 1 : a */
function clampUnit(k: Lanes, a: Result): Result {
  const { float } = k.f
  return float.pmin(float.pmax(a, all(k, 0)), all(k, 1))
}
