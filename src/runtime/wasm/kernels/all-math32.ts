/** Writes the elementary functions of `js/math32.ts` that few models need in four lanes, as `math32.ts` does. */

import { EXP32, LN2_HIGH32, LN2_LOW32 } from '../../math/constants32.ts'
import { ERF32, LOG32 } from '../../math/more-constants32.ts'
import { allActivations } from './all-activations.ts'
import {
  type Arithmetic,
  clamp,
  type Emitter,
  madd,
  nmadd,
  polynomial,
  type Result,
  splat,
  splatBits,
  toLocal,
  type Vector,
} from './emitter.ts'
import { coreFloat32, doubleAngle, expOf, powerOf2, ROUND_BITS, reduced, SIGN } from './math32.ts'

/** The bits of √½. */
const SQRT_HALF = 0x3f3504f3

function erf(k: Emitter, x: Vector): Result {
  const { f32x4 } = k.f
  const a = toLocal(k, clamp(k, x, -ERF32.limit, ERF32.limit))
  const z = toLocal(k, f32x4.mul(a, a))
  const n = toLocal(k, f32x4.mul(a, polynomial(k, z, ERF32.p)))
  return doubleAngle(k, n, toLocal(k, polynomial(k, z, ERF32.q)))
}

/** e^x − 1 = 2ⁿ·(e^r − 1) + (2ⁿ − 1), half of everything at first. */
function expm1(k: Emitter, x: Vector): Result {
  const { f32x4, v128 } = k.f
  const a = toLocal(k, clamp(k, x, -30, 89))
  const { t, n, r } = reduced(k, a)
  const p = toLocal(k, polynomial(k, r, EXP32))
  const y = toLocal(k, madd(k, f32x4.mul(r, r), p, r))
  const s = toLocal(k, powerOf2(k, t, -1 - ROUND_BITS))
  const less = toLocal(k, f32x4.sub(s, splat(k, 0.5)))
  const scaled = toLocal(k, f32x4.mul(madd(k, s, y, less), splat(k, 2)))
  const zero = (value: Vector): Result => f32x4.eq(value, splat(k, 0))
  const near = toLocal(k, v128.bitselect(y, scaled, zero(n)))
  return v128.bitselect(x, near, zero(x))
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)) */
function softplus(k: Emitter, x: Vector): Result {
  const { f32x4 } = k.f
  const e = toLocal(k, expOfMinusAbs(k, x))
  const log = toLocal(k, log1p(k, e))
  return f32x4.add(f32x4.pmax(splat(k, 0), x), log)
}

/** log(1 + x) for 0 ≤ x ≤ 1 and NaN: log u + c/u, where u = 1 + x and c is what that lost. */
function log1p(k: Emitter, x: Vector): Result {
  const { f32x4, i32x4, v128 } = k.f
  const one = toLocal(k, splat(k, 1))
  const u = toLocal(k, f32x4.add(one, x))
  const fromX = toLocal(k, f32x4.sub(x, f32x4.sub(u, one)))
  const fromOne = toLocal(k, f32x4.sub(one, f32x4.sub(u, x)))
  const lost = v128.bitselect(fromX, fromOne, f32x4.lt(u, splat(k, 2)))
  const c = toLocal(k, f32x4.div(lost, u))
  const bits = toLocal(k, i32x4.sub(u, splatBits(k, SQRT_HALF)))
  const exponent = toLocal(k, i32x4.shr_s(bits, 23))
  const fraction = v128.and(bits, splatBits(k, 0x7fffff))
  const m = toLocal(k, f32x4.sub(i32x4.add(fraction, splatBits(k, SQRT_HALF)), one))
  // Where u's exponent is 0, x itself is the fraction, and nothing was lost.
  const whole = toLocal(k, i32x4.eq(exponent, splatBits(k, 0)))
  const e = toLocal(k, f32x4.convert_i32x4_s(exponent))
  return logOf(k, e, toLocal(k, v128.bitselect(x, m, whole)), toLocal(k, v128.andnot(c, whole)))
}

/** e·ln 2 + log(1 + m) + c */
function logOf(k: Emitter, e: Vector, m: Vector, c: Vector): Result {
  const { f32x4 } = k.f
  const z = toLocal(k, f32x4.mul(m, m))
  const p = toLocal(k, polynomial(k, m, LOG32))
  const low = toLocal(k, madd(k, e, splat(k, LN2_LOW32), c))
  const high = toLocal(k, madd(k, f32x4.mul(m, z), p, low))
  const y = toLocal(k, nmadd(k, z, 0.5, high))
  const log = toLocal(k, f32x4.add(m, y))
  return madd(k, e, splat(k, LN2_HIGH32), log)
}

/**
 * e^(−|x|). Here n is within −150 … 0, and the first step can be 2ⁿ⁺⁶⁴: as in `exp` the first
 * product is exact and the second rounds once, so the bits are the same.
 */
function expOfMinusAbs(k: Emitter, x: Vector): Result {
  const { f32x4, v128 } = k.f
  const minus = v128.or(x, splatBits(k, SIGN))
  const { t, r } = reduced(k, toLocal(k, f32x4.pmax(minus, splat(k, -104))))
  const first = toLocal(k, powerOf2(k, t, 64 - ROUND_BITS))
  return f32x4.mul(f32x4.mul(expOf(k, r), first), splat(k, 2 ** -64))
}

/** Vectors of four float32, with all activations. */
export const float32: Arithmetic = {
  ...coreFloat32,
  activations: allActivations({ erf, expm1, softplus }),
}
