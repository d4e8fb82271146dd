/** The other elementary functions of `js/math32.ts` in four lanes: see `math.ts`. */

import { ERF32, LOG32 } from '../../all-approximations.ts'
import { EXP32, LN2_HIGH32, LN2_LOW32 } from '../../approximations.ts'
import { exp } from './exp.ts'
import {
  type Arithmetic,
  all,
  allBits,
  clamp,
  hold,
  type Lanes,
  madd,
  nmadd,
  polynomial,
  type Result,
  type Vector,
} from './lanes.ts'
import { doubleAngle, expOf, float32, powerOf2, ROUND_BITS, reduced, SIGN } from './math.ts'

/** The bits of √½. */
const SQRT_HALF = 0x3f3504f3

function erf(k: Lanes, x: Vector): Result {
  const { f32x4 } = k.f
  const a = hold(k, clamp(k, x, -ERF32.limit, ERF32.limit))
  const z = hold(k, f32x4.mul(a, a))
  const n = hold(k, f32x4.mul(a, polynomial(k, z, ERF32.p)))
  return doubleAngle(k, n, hold(k, polynomial(k, z, ERF32.q)))
}

/** e^x − 1 = 2ⁿ·(e^r − 1) + (2ⁿ − 1), half of everything at first. */
function expm1(k: Lanes, x: Vector): Result {
  const { f32x4, v128 } = k.f
  const a = hold(k, clamp(k, x, -30, 89))
  const { t, n, r } = reduced(k, a)
  const p = hold(k, polynomial(k, r, EXP32))
  const y = hold(k, madd(k, f32x4.mul(r, r), p, r))
  const s = hold(k, powerOf2(k, t, -1 - ROUND_BITS))
  const less = hold(k, f32x4.sub(s, all(k, 0.5)))
  const scaled = hold(k, f32x4.mul(madd(k, s, y, less), all(k, 2)))
  const zero = (value: Vector): Result => f32x4.eq(value, all(k, 0))
  const near = hold(k, v128.bitselect(y, scaled, zero(n)))
  return v128.bitselect(x, near, zero(x))
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)) */
function softplus(k: Lanes, x: Vector): Result {
  const { f32x4 } = k.f
  const e = hold(k, expOfMinusAbs(k, x))
  const log = hold(k, log1p(k, e))
  return f32x4.add(f32x4.pmax(all(k, 0), x), log)
}

/** log(1 + x) for 0 ≤ x ≤ 1 and NaN: log u + c/u, where u = 1 + x and c is what that lost. */
function log1p(k: Lanes, x: Vector): Result {
  const { f32x4, i32x4, v128 } = k.f
  const one = hold(k, all(k, 1))
  const u = hold(k, f32x4.add(one, x))
  const fromX = hold(k, f32x4.sub(x, f32x4.sub(u, one)))
  const fromOne = hold(k, f32x4.sub(one, f32x4.sub(u, x)))
  const lost = v128.bitselect(fromX, fromOne, f32x4.lt(u, all(k, 2)))
  const c = hold(k, f32x4.div(lost, u))
  const bits = hold(k, i32x4.sub(u, allBits(k, SQRT_HALF)))
  const exponent = hold(k, i32x4.shr_s(bits, 23))
  const fraction = v128.and(bits, allBits(k, 0x7fffff))
  const m = hold(k, f32x4.sub(i32x4.add(fraction, allBits(k, SQRT_HALF)), one))
  // Where u's exponent is 0, x itself is the fraction, and nothing was lost.
  const whole = hold(k, i32x4.eq(exponent, allBits(k, 0)))
  const e = hold(k, f32x4.convert_i32x4_s(exponent))
  return logOf(k, e, hold(k, v128.bitselect(x, m, whole)), hold(k, v128.andnot(c, whole)))
}

/** e·ln 2 + log(1 + m) + c */
function logOf(k: Lanes, e: Vector, m: Vector, c: Vector): Result {
  const { f32x4 } = k.f
  const z = hold(k, f32x4.mul(m, m))
  const p = hold(k, polynomial(k, m, LOG32))
  const low = hold(k, madd(k, e, all(k, LN2_LOW32), c))
  const high = hold(k, madd(k, f32x4.mul(m, z), p, low))
  const y = hold(k, nmadd(k, z, 0.5, high))
  const log = hold(k, f32x4.add(m, y))
  return madd(k, e, all(k, LN2_HIGH32), log)
}

/**
 * e^(−|x|). Here n is within −150 … 0, and the first step can be 2ⁿ⁺⁶⁴: as in `exp` the first
 * product is exact and the second rounds once, so the bits are the same.
 */
function expOfMinusAbs(k: Lanes, x: Vector): Result {
  const { f32x4, v128 } = k.f
  const minus = v128.or(x, allBits(k, SIGN))
  const { t, r } = reduced(k, hold(k, f32x4.pmax(minus, all(k, -104))))
  const first = hold(k, powerOf2(k, t, 64 - ROUND_BITS))
  return f32x4.mul(f32x4.mul(expOf(k, r), first), all(k, 2 ** -64))
}

/** Vectors of four float32, with every function. */
export const allFloat32: Arithmetic = {
  ...float32,
  elementary: { ...float32.elementary, erf, exp, expm1, softplus },
}
