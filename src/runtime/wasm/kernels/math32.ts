/**
 * Writes the elementary functions of `js/math32.ts` in four lanes: the same formulas in the same
 * order, where the reasons stand. A branch there is a choice between both results here.
 */

import { ERF32, EXP32, LN2_HIGH32, LN2_LOW32, LOG32, TANH32 } from '../../math/constants32.ts'
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

/** 1.5 · 2²³ and its bits: a small number added to it is an integer in the last of them. */
const ROUND = 12582912
const ROUND_BITS = 0x4b400000
const SIGN = -0x80000000
/** The bits of √½. */
const SQRT_HALF = 0x3f3504f3

/** 2t / (1 + t²) = 2NQ / (Q² + N²) */
function tanh(k: Emitter, x: Vector): Result {
  const { f32x4 } = k.f
  const a = toLocal(k, clamp(k, x, -TANH32.limit, TANH32.limit))
  const z = toLocal(k, f32x4.mul(a, a))
  // P(0) is 1: x is added unrounded.
  const n = toLocal(k, madd(k, f32x4.mul(a, z), polynomial(k, z, TANH32.p.slice(1)), a))
  return doubleAngle(k, n, toLocal(k, polynomial(k, z, TANH32.q)))
}

/** 2NQ / (Q² + N²) */
function doubleAngle(k: Emitter, n: Vector, q: Vector): Result {
  const { f32x4 } = k.f
  const squared = toLocal(k, f32x4.mul(n, n))
  const below = toLocal(k, madd(k, q, q, squared))
  return f32x4.div(f32x4.mul(f32x4.add(n, n), q), below)
}

/** 1 + (r + r²·P(r)) */
function expOf(k: Emitter, r: Vector): Result {
  const { f32x4 } = k.f
  const p = toLocal(k, polynomial(k, r, EXP32))
  return f32x4.add(madd(k, f32x4.mul(r, r), p, r), splat(k, 1))
}

/** 2^(i + more) for integers. */
function powerOf2(k: Emitter, i: Vector, more: number): Result {
  const { i32x4 } = k.f
  return i32x4.shl(i32x4.add(i, splatBits(k, more + 127)), 23)
}

/** x = n·ln 2 + r. The last bits of t are n, as an integer; for NaN it is arbitrary. */
function reduced(k: Emitter, a: Vector): Readonly<Record<'t' | 'n' | 'r', Vector>> {
  const t = toLocal(k, madd(k, a, splat(k, Math.LOG2E), ROUND))
  const n = toLocal(k, k.f.f32x4.sub(t, splat(k, ROUND)))
  const high = toLocal(k, nmadd(k, n, LN2_HIGH32, a))
  return { t, n, r: toLocal(k, nmadd(k, n, LN2_LOW32, high)) }
}

/** σ(x) = 1 / (1 + 2ⁿ·e^r), where 2ⁿ may be infinite. */
function sigmoid(k: Emitter, x: Vector): Result {
  const { f32x4, v128 } = k.f
  const minus = toLocal(k, v128.xor(x, splatBits(k, SIGN)))
  const { t, r } = reduced(k, toLocal(k, clamp(k, minus, -87, 89)))
  const power = toLocal(k, powerOf2(k, t, -ROUND_BITS))
  const below = toLocal(k, madd(k, expOf(k, r), power, 1))
  return f32x4.div(splat(k, 1), below)
}

/** e^x = 2ⁿ·e^r, where 2ⁿ is multiplied in two steps because it may not be a normal number itself. */
function exp(k: Emitter, x: Vector): Result {
  const { f32x4, i32x4 } = k.f
  const { t, r } = reduced(k, toLocal(k, clamp(k, x, -104, 89)))
  const i = toLocal(k, i32x4.sub(t, splatBits(k, ROUND_BITS)))
  const half = toLocal(k, i32x4.shr_s(i, 1))
  const first = toLocal(k, powerOf2(k, half, 0))
  const rest = toLocal(k, i32x4.sub(i, half))
  return f32x4.mul(f32x4.mul(expOf(k, r), first), powerOf2(k, rest, 0))
}

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

// The only way to a number's bits without allocating. Module state, but never between two calls.
const float = new Float32Array(1)
const bits = new Int32Array(float.buffer)

/** Vectors of four float32. */
export const float32: Arithmetic = {
  family: 'f32x4',
  splat: 'load32_splat',
  bytes: 4,
  group: 16,
  parts: 1,
  words(value) {
    float[0] = value
    return [bits[0], bits[0]]
  },
  elementary: { erf, exp, expm1, sigmoid, softplus, tanh },
}
