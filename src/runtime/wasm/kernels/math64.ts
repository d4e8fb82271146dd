/**
 * Writes the elementary functions of `js/math64.ts` in two lanes: the same formulas in the same
 * order, where the reasons stand. A branch there is a choice between both results here.
 *
 * Integers live in the low words, n as the last bits of a float. Shifted up by 52, the low 12 bits of
 * a lane are its exponent and all else is gone.
 */

import { ERF64, ERFC64, EXP64, LN2_HIGH64, LN2_LOW64, LOG64 } from '../../math/constants64.ts'
import { allActivations } from './all-activations.ts'
import {
  type Arithmetic,
  clamp,
  type Emitter,
  polynomial,
  type Result,
  splat,
  splatBits,
  toLocal,
  type Vector,
} from './emitter.ts'

/** 1.5 · 2⁵²: a small number added to it is an integer in the last of its bits. */
const ROUND = 6755399441055744
/** The high words of −0 and √½. */
const SIGN = -0x80000000
const SQRT_HALF = 0x3fe6a09e

/** |x| and the sign of x, which an odd function puts back in the end. */
function magnitude(k: Emitter, x: Vector): Vector {
  return toLocal(k, k.f.f64x2.abs(x))
}

function signed(k: Emitter, y: Result, x: Vector): Result {
  const { v128 } = k.f
  return v128.or(y, v128.and(x, splatBits(k, 0, SIGN)))
}

/** t / (t + 2), t = e^(2|x|) − 1 */
function tanh(k: Emitter, x: Vector): Result {
  const { f64x2 } = k.f
  const a = toLocal(k, f64x2.pmin(magnitude(k, x), splat(k, 22)))
  const t = toLocal(k, expm1Within(k, toLocal(k, f64x2.add(a, a))))
  return signed(k, f64x2.div(t, f64x2.add(t, splat(k, 2))), x)
}

/** σ(x) = 1 / (1 + e^(−x)), by e^(−|x|). */
function sigmoid(k: Emitter, x: Vector): Result {
  const { f64x2, v128 } = k.f
  const e = toLocal(k, expOfMinusAbs(k, x))
  const one = toLocal(k, splat(k, 1))
  const above = v128.bitselect(e, one, f64x2.lt(x, splat(k, 0)))
  return f64x2.div(above, f64x2.add(one, e))
}

/** x = n·ln 2 + r, r = high − low. The low words of t are n, as an integer; for NaN arbitrary. */
function reduced(k: Emitter, a: Vector): Readonly<Record<'t' | 'n' | 'y', Vector>> {
  const { f64x2 } = k.f
  const product = f64x2.mul(a, splat(k, Math.LOG2E))
  const t = toLocal(k, f64x2.add(product, splat(k, ROUND)))
  const n = toLocal(k, f64x2.sub(t, splat(k, ROUND)))
  const high = toLocal(k, f64x2.sub(a, f64x2.mul(n, splat(k, LN2_HIGH64))))
  const low = toLocal(k, f64x2.mul(n, splat(k, LN2_LOW64)))
  const r = toLocal(k, f64x2.sub(high, low))
  // e^r − 1 = high + (r²·P(r) − low)
  const p = toLocal(k, polynomial(k, r, EXP64))
  const tail = f64x2.mul(f64x2.mul(r, r), p)
  const y = toLocal(k, f64x2.add(f64x2.sub(tail, low), high))
  return { t, n, y }
}

/** 2^(i + more) for integers in the low words. */
function powerOf2(k: Emitter, i: Vector, more: number): Result {
  const { i64x2 } = k.f
  return i64x2.shl(i64x2.add(i, splatBits(k, more + 1023, 0)), 52)
}

/** e^x = 2ⁿ·e^r, where 2ⁿ is multiplied in two steps because it may not be a normal number itself. */
function exp(k: Emitter, x: Vector): Result {
  const { f64x2, i32x4, i64x2 } = k.f
  const { t, y } = reduced(k, toLocal(k, clamp(k, x, -746, 710)))
  const half = toLocal(k, i32x4.shr_s(t, 1))
  const first = toLocal(k, powerOf2(k, half, 0))
  const rest = toLocal(k, i64x2.sub(t, half))
  return f64x2.mul(f64x2.mul(f64x2.add(y, splat(k, 1)), first), powerOf2(k, rest, 0))
}

/**
 * e^(−|x|). Here n is within −1076 … 0, and the first step can be 2ⁿ⁺⁶⁴: as in `exp` the first
 * product is exact and the second rounds once, so the bits are the same.
 */
function expOfMinusAbs(k: Emitter, x: Vector): Result {
  const { f64x2, v128 } = k.f
  const minus = v128.or(x, splatBits(k, 0, SIGN))
  const { t, y } = reduced(k, toLocal(k, f64x2.pmax(minus, splat(k, -746))))
  const first = toLocal(k, powerOf2(k, t, 64))
  return f64x2.mul(f64x2.mul(f64x2.add(y, splat(k, 1)), first), splat(k, 2 ** -64))
}

/** e^x − 1 */
function expm1(k: Emitter, x: Vector): Result {
  const near = toLocal(k, expm1Within(k, toLocal(k, clamp(k, x, -50, 710))))
  // −0 would come out as 0.
  return k.f.v128.bitselect(x, near, k.f.f64x2.eq(x, splat(k, 0)))
}

/** 2ⁿ·(e^r − 1) + (2ⁿ − 1), half of everything at first, for −50 ≤ a ≤ 710 but −0. */
function expm1Within(k: Emitter, a: Vector): Result {
  const { f64x2, v128 } = k.f
  const { t, n, y } = reduced(k, a)
  const s = toLocal(k, powerOf2(k, t, -1))
  const less = toLocal(k, f64x2.sub(s, splat(k, 0.5)))
  const halved = f64x2.add(f64x2.mul(s, y), less)
  const scaled = toLocal(k, f64x2.mul(halved, splat(k, 2)))
  return v128.bitselect(y, scaled, f64x2.eq(n, splat(k, 0)))
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)) */
function softplus(k: Emitter, x: Vector): Result {
  const { f64x2 } = k.f
  const e = toLocal(k, expOfMinusAbs(k, x))
  const log = toLocal(k, log1p(k, e))
  return f64x2.add(f64x2.pmax(splat(k, 0), x), log)
}

/** log(1 + x) for 0 ≤ x ≤ 1 and NaN: log u + c/u, where u = 1 + x and c is what that lost. */
function log1p(k: Emitter, x: Vector): Result {
  const { f64x2, i64x2, v128 } = k.f
  const one = toLocal(k, splat(k, 1))
  const u = toLocal(k, f64x2.add(one, x))
  const fromX = toLocal(k, f64x2.sub(x, f64x2.sub(u, one)))
  const fromOne = toLocal(k, f64x2.sub(one, f64x2.sub(u, x)))
  const lost = v128.bitselect(fromX, fromOne, f64x2.lt(u, splat(k, 2)))
  const c = toLocal(k, f64x2.div(lost, u))
  const bits = toLocal(k, i64x2.sub(u, splatBits(k, 0, SQRT_HALF)))
  const fraction = v128.and(bits, splatBits(k, -1, 0xfffff))
  const m = toLocal(k, f64x2.sub(i64x2.add(fraction, splatBits(k, 0, SQRT_HALF)), one))
  // u is 1 to 2: its exponent is 0, where x itself is the fraction and nothing was lost, or 1.
  const whole = toLocal(k, i64x2.eq(i64x2.shr_u(bits, 52), splatBits(k, 0)))
  const e = toLocal(k, v128.andnot(one, whole))
  return logOf(k, e, toLocal(k, v128.bitselect(x, m, whole)), toLocal(k, v128.andnot(c, whole)))
}

/** e·ln 2 + log(1 + f) + c = e·ln 2 − ((f²/2 − (s·(f²/2 + z·P(z)) + (e·ln 2 + c))) − f) */
function logOf(k: Emitter, e: Vector, f: Vector, c: Vector): Result {
  const { f64x2 } = k.f
  const two = f64x2.add(f, splat(k, 2))
  const s = toLocal(k, f64x2.div(f, two))
  const z = toLocal(k, f64x2.mul(s, s))
  const p = toLocal(k, f64x2.mul(polynomial(k, z, LOG64), z))
  const square = toLocal(k, f64x2.mul(f64x2.mul(f, splat(k, 0.5)), f))
  const low = toLocal(k, f64x2.add(f64x2.mul(e, splat(k, LN2_LOW64)), c))
  const inner = toLocal(k, f64x2.add(f64x2.mul(f64x2.add(square, p), s), low))
  const rest = toLocal(k, f64x2.sub(f64x2.sub(square, inner), f))
  return f64x2.sub(f64x2.mul(e, splat(k, LN2_HIGH64)), rest)
}

/** x + x·P(x²)/Q(x²) below 1, and 1 − e^(−x²)·P(x)/Q(x) from there on; both of |x|. */
function erf(k: Emitter, x: Vector): Result {
  const { f64x2, v128 } = k.f
  const a = magnitude(k, x)
  const z = toLocal(k, f64x2.mul(a, a))
  const near = toLocal(k, f64x2.add(f64x2.mul(ratio(k, z, ERF64), a), a))
  const b = toLocal(k, f64x2.pmin(a, splat(k, ERFC64.limit)))
  const square = toLocal(k, f64x2.mul(b, b))
  const e = toLocal(k, expOfMinusAbs(k, square))
  const product = toLocal(k, f64x2.mul(ratio(k, b, ERFC64), e))
  const far = toLocal(k, f64x2.sub(splat(k, 1), product))
  return signed(k, v128.bitselect(near, far, f64x2.lt(a, splat(k, ERF64.limit))), x)
}

/** P(x)/Q(x) */
function ratio(
  k: Emitter,
  x: Vector,
  { p, q }: { readonly p: readonly number[]; readonly q: readonly number[] },
): Result {
  const below = toLocal(k, polynomial(k, x, q))
  return k.f.f64x2.div(polynomial(k, x, p), below)
}

/** Vectors of two float64. */
export const float64: Arithmetic = {
  family: 'f64x2',
  splat: 'load64_splat',
  bytes: 8,
  group: 32,
  parts: 2,
  words(value) {
    const [low, high] = new Int32Array(Float64Array.of(value).buffer)
    return [low, high]
  },
  elementary: { exp, sigmoid, tanh },
  activations: allActivations({ erf, expm1, softplus }),
}
