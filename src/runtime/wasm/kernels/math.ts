/**
 * The elementary functions that most cells need, of `js/math32.ts`, in four lanes: the same formulas in
 * the same order, where the reasons stand. A branch there is a choice between both results here.
 */

import { EXP32, LN2_HIGH32, LN2_LOW32, TANH32 } from '../../approximations.ts'
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

/** 1.5 · 2²³ and its bits: a small number added to it is an integer in the last of them. */
const ROUND = 12582912
export const ROUND_BITS = 0x4b400000
export const SIGN = -0x80000000

/** 2t / (1 + t²) = 2NQ / (Q² + N²) */
function tanh(k: Lanes, x: Vector): Result {
  const { f32x4 } = k.f
  const a = hold(k, clamp(k, x, -TANH32.limit, TANH32.limit))
  const z = hold(k, f32x4.mul(a, a))
  // P(0) is 1: x is added unrounded.
  const n = hold(k, madd(k, f32x4.mul(a, z), polynomial(k, z, TANH32.p.slice(1)), a))
  return doubleAngle(k, n, hold(k, polynomial(k, z, TANH32.q)))
}

/** 2NQ / (Q² + N²) */
export function doubleAngle(k: Lanes, n: Vector, q: Vector): Result {
  const { f32x4 } = k.f
  const squared = hold(k, f32x4.mul(n, n))
  const below = hold(k, madd(k, q, q, squared))
  return f32x4.div(f32x4.mul(f32x4.add(n, n), q), below)
}

/** 1 + (r + r²·P(r)) */
export function expOf(k: Lanes, r: Vector): Result {
  const { f32x4 } = k.f
  const p = hold(k, polynomial(k, r, EXP32))
  return f32x4.add(madd(k, f32x4.mul(r, r), p, r), all(k, 1))
}

/** 2^(i + more) for integers. */
export function powerOf2(k: Lanes, i: Vector, more: number): Result {
  const { i32x4 } = k.f
  return i32x4.shl(i32x4.add(i, allBits(k, more + 127)), 23)
}

/** x = n·ln 2 + r. The last bits of t are n, as an integer; for NaN it is arbitrary. */
export function reduced(k: Lanes, a: Vector): Readonly<Record<'t' | 'n' | 'r', Vector>> {
  const t = hold(k, madd(k, a, all(k, Math.LOG2E), ROUND))
  const n = hold(k, k.f.f32x4.sub(t, all(k, ROUND)))
  const high = hold(k, nmadd(k, n, LN2_HIGH32, a))
  return { t, n, r: hold(k, nmadd(k, n, LN2_LOW32, high)) }
}

/** σ(x) = 1 / (1 + 2ⁿ·e^r), where 2ⁿ may be infinite. */
function sigmoid(k: Lanes, x: Vector): Result {
  const { f32x4, v128 } = k.f
  const minus = hold(k, v128.xor(x, allBits(k, SIGN)))
  const { t, r } = reduced(k, hold(k, clamp(k, minus, -87, 89)))
  const power = hold(k, powerOf2(k, t, -ROUND_BITS))
  const below = hold(k, madd(k, expOf(k, r), power, 1))
  return f32x4.div(all(k, 1), below)
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
  elementary: { sigmoid, tanh },
}
