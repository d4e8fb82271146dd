/** Activations in four lanes: the formulas of `js/ops32.ts`, a row for each. */

import type { ElementwiseActivation, ElementwiseKind } from '../../../model/activations.ts'
import { all, clamp, hold, type Lanes, madd, type Result, type Vector } from './lanes.ts'
import { erf, exp, expm1, sigmoid, softplus, tanh } from './math.ts'

type Writer = (k: Lanes, a: Vector, parameters: readonly number[]) => Result

const table: Readonly<Record<ElementwiseKind, Writer>> = {
  linear: ({ f }, a) => f.local.get(a),
  sigmoid,
  tanh,
  relu: (k, a) => k.f.f32x4.pmax(a, all(k, 0)),
  leaky_relu: (k, a, [alpha]) => below(k, a, k.f.f32x4.mul(all(k, alpha), a)),
  thresholded_relu: (k, a, [alpha]) => k.f.v128.andnot(a, k.f.f32x4.le(a, all(k, alpha))),
  clipped_relu(k, a, [max]) {
    const { f32x4, v128 } = k.f
    return v128.andnot(f32x4.pmin(a, all(k, max)), f32x4.lt(a, all(k, 0)))
  },
  hard_sigmoid: (k, a, [alpha, beta]) => clampUnit(k, madd(k, a, all(k, alpha), beta)),
  hard_tanh: (k, a) => clamp(k, a, -1, 1),
  affine: (k, a, [alpha, beta]) => madd(k, a, all(k, alpha), beta),
  scaled_tanh(k, a, [alpha, beta]) {
    const inner = hold(k, k.f.f32x4.mul(a, all(k, beta)))
    return k.f.f32x4.mul(tanh(k, inner), all(k, alpha))
  },
  elu: (k, a, [alpha]) => below(k, a, k.f.f32x4.mul(expm1(k, a), all(k, alpha))),
  selu(k, a) {
    const inner = below(k, a, k.f.f32x4.mul(expm1(k, a), all(k, 1.6732632423543772)))
    return k.f.f32x4.mul(inner, all(k, 1.0507009873554805))
  },
  softplus,
  softsign(k, a) {
    const { f32x4 } = k.f
    return f32x4.div(a, f32x4.add(f32x4.abs(a), all(k, 1)))
  },
  exponential: exp,
  silu: (k, a) => k.f.f32x4.mul(sigmoid(k, a), a),
  gelu(k, a) {
    const { f32x4 } = k.f
    const inner = hold(k, f32x4.mul(a, all(k, Math.SQRT1_2)))
    const above = hold(k, f32x4.add(erf(k, inner), all(k, 1)))
    return f32x4.mul(f32x4.mul(a, all(k, 0.5)), above)
  },
  gelu_tanh(k, a) {
    const { f32x4 } = k.f
    const cube = f32x4.mul(f32x4.mul(a, a), a)
    const sum = madd(k, cube, all(k, 0.044715), a)
    const inner = hold(k, f32x4.mul(sum, all(k, Math.sqrt(8 / Math.PI))))
    return f32x4.mul(sigmoid(k, inner), a)
  },
  mish(k, a) {
    const inner = hold(k, softplus(k, a))
    return k.f.f32x4.mul(tanh(k, inner), a)
  },
  log_sigmoid(k, a) {
    const inner = hold(k, k.f.f32x4.neg(a))
    return k.f.f32x4.neg(softplus(k, inner))
  },
}

/** φ(a) */
export function activate(k: Lanes, { kind, parameters }: ElementwiseActivation, a: Vector): Result {
  return table[kind](k, a, parameters)
}

/** a < 0 ? value : a */
function below(k: Lanes, a: Vector, value: Result): Result {
  const { f32x4, v128 } = k.f
  const other = hold(k, value)
  return v128.bitselect(other, a, f32x4.lt(a, all(k, 0)))
}

/** a < 0 ? 0 : a > 1 ? 1 : a */
function clampUnit(k: Lanes, a: Result): Result {
  const { f32x4 } = k.f
  return f32x4.pmin(f32x4.pmax(a, all(k, 0)), all(k, 1))
}
