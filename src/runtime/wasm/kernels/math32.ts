/**
 * Writes the elementary functions of `js/math32.ts` in four lanes: the same formulas in the same
 * order, where the reasons stand. A branch there is a choice between both results here. The
 * functions that few models need are in `all-math32.ts`.
 */

import { EXP32, LN2_HIGH32, LN2_LOW32, TANH32 } from '../../math/constants32.ts'
import { coreActivations } from './activations.ts'
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
export const ROUND_BITS = 0x4b400000
export const SIGN = -0x80000000

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
export function doubleAngle(k: Emitter, n: Vector, q: Vector): Result {
  const { f32x4 } = k.f
  const squared = toLocal(k, f32x4.mul(n, n))
  const below = toLocal(k, madd(k, q, q, squared))
  return f32x4.div(f32x4.mul(f32x4.add(n, n), q), below)
}

/** 1 + (r + r²·P(r)) */
export function expOf(k: Emitter, r: Vector): Result {
  const { f32x4 } = k.f
  const p = toLocal(k, polynomial(k, r, EXP32))
  return f32x4.add(madd(k, f32x4.mul(r, r), p, r), splat(k, 1))
}

/** 2^(i + more) for integers. */
export function powerOf2(k: Emitter, i: Vector, more: number): Result {
  const { i32x4 } = k.f
  return i32x4.shl(i32x4.add(i, splatBits(k, more + 127)), 23)
}

/** x = n·ln 2 + r. The last bits of t are n, as an integer; for NaN it is arbitrary. */
export function reduced(k: Emitter, a: Vector): Readonly<Record<'t' | 'n' | 'r', Vector>> {
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

// The only way to a number's bits without allocating. Module state, but never between two calls.
const float = new Float32Array(1)
const bits = new Int32Array(float.buffer)

/** Vectors of four float32, with the activations that most models have. */
export const coreFloat32: Arithmetic = {
  family: 'f32x4',
  splat: 'load32_splat',
  bytes: 4,
  group: 16,
  parts: 1,
  words(value) {
    float[0] = value
    return [bits[0], bits[0]]
  },
  elementary: { exp, sigmoid, tanh },
  activations: coreActivations,
}
