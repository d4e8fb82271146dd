/**
 * The elementary functions in float32. Argument and result are float32 numbers, every operation is
 * rounded by itself, and only + − × ÷, comparisons and integer operations on the bits are used: a
 * vector unit gives the same bits. `docs/functions.md` has the measured errors.
 *
 * Clamps are written `x > LIMIT ? LIMIT : x`, which keeps NaN. In WebAssembly that is
 * `f32x4.pmin(x, LIMIT)` with x first: pmin(a, b) is `b < a ? b : a`, so the other order swallows NaN.
 */

import { EXP32, LN2_HIGH32, LN2_LOW32, TANH32 } from '../math/constants32.ts'
import { ERF32, LOG32 } from '../math/more-constants32.ts'

const f = Math.fround

// The only way to a number's bits without allocating. Module state, but never between two calls.
const float = new Float32Array(1)
const bits = new Int32Array(float.buffer)

// Scalars, because V8 folds a module's constant into the code, but not an array's element.
const TANH_LIMIT = TANH32.limit
const [, T1, T2] = TANH32.p
const [U0, U1, U2, U3] = TANH32.q
const [E0, E1, E2, E3, E4] = EXP32
const [L0, L1, L2, L3, L4, L5, L6, L7] = LOG32
const ERF_LIMIT = ERF32.limit
const [A0, A1, A2, A3, A4] = ERF32.p
const [B0, B1, B2, B3] = ERF32.q

const LOG2_E = f(Math.LOG2E)
/** 1.5 · 2²³: added to a small number, it leaves the nearest integer in the last bits. */
const ROUND = 12582912
/** The bits of √½: what the fraction of a logarithm's argument is measured from. */
const SQRT_HALF = 0x3f3504f3

/**
 * tanh(x) = 2t / (1 + t²) = 2NQ / (Q² + N²), where t = N/Q ≈ tanh(x/2), N = x·P(x²), Q = Q(x²).
 *
 * An error of t shrinks by 1/cosh(x) on its way into tanh(x). So a small rational is enough, the
 * roundings of P and Q hardly count where tanh is large, and the result is flat where it reaches 1.
 */
export function tanh32(x: number): number {
  const a = x > TANH_LIMIT ? TANH_LIMIT : x < -TANH_LIMIT ? -TANH_LIMIT : x
  const z = f(a * a)
  // P(0) is 1: x is added unrounded, and a tiny x comes out as it went in.
  const n = f(a + f(f(a * z) * f(f(T2 * z) + T1)))
  const q = f(f(f(f(f(f(U3 * z) + U2) * z) + U1) * z) + U0)
  return f(f(f(n + n) * q) / f(f(q * q) + f(n * n)))
}

/** e^x = 2ⁿ·e^r, r = x − n·ln 2. */
export function exp32(x: number): number {
  // Beyond these the result is 0 or infinite anyway; n stays within −150 … 128.
  const a = x > 89 ? 89 : x < -104 ? -104 : x
  const n = f(f(f(a * LOG2_E) + ROUND) - ROUND)
  const r = f(f(a - f(n * LN2_HIGH32)) - f(n * LN2_LOW32))
  const p = f(f(f(f(f(f(f(f(E4 * r) + E3) * r) + E2) * r) + E1) * r) + E0)
  const y = f(1 + f(r + f(f(r * r) * p)))
  // In two steps, because 2ⁿ itself may not be a normal number. The first is exact.
  const i = n | 0
  const half = i >> 1
  bits[0] = (half + 127) << 23
  const scaled = f(y * float[0])
  bits[0] = (i - half + 127) << 23
  return f(scaled * float[0])
}

/** e^x − 1 = 2ⁿ·(e^r − 1) + (2ⁿ − 1). */
export function expm1_32(x: number): number {
  const a = x > 89 ? 89 : x < -30 ? -30 : x
  const n = f(f(f(a * LOG2_E) + ROUND) - ROUND)
  const r = f(f(a - f(n * LN2_HIGH32)) - f(n * LN2_LOW32))
  const p = f(f(f(f(f(f(f(f(E4 * r) + E3) * r) + E2) * r) + E1) * r) + E0)
  const y = f(r + f(f(r * r) * p))
  // Half of everything, because 2¹²⁸ is too large for a float32.
  bits[0] = ((n | 0) + 126) << 23
  const s = float[0]
  const scaled = f(2 * f(f(s * y) + f(s - 0.5)))
  // −0 would come out as 0, and halving would cost a subnormal its last bit.
  return x === 0 ? x : n === 0 ? y : scaled
}

/**
 * σ(x) = 1 / (1 + e^(−x)), with small probabilities as accurate as large ones: an error of e^(−x) is
 * one of the result where that is small, and hardly counts where it is large. Below −88.4, where σ is
 * no normal number any more, 2ⁿ is infinite and the result 0.
 */
export function sigmoid32(x: number): number {
  const a = x < -89 ? 89 : x > 87 ? -87 : -x
  const n = f(f(f(a * LOG2_E) + ROUND) - ROUND)
  const r = f(f(a - f(n * LN2_HIGH32)) - f(n * LN2_LOW32))
  const p = f(f(f(f(f(f(f(f(E4 * r) + E3) * r) + E2) * r) + E1) * r) + E0)
  const y = f(1 + f(r + f(f(r * r) * p)))
  bits[0] = ((n | 0) + 127) << 23
  return f(1 / f(1 + f(y * float[0])))
}

/** log(2ᵉ·m) = e·ln 2 + log m, √½ ≤ m < √2. */
export function log32(x: number): number {
  const subnormal = x < 1.1754943508222875e-38
  float[0] = subnormal ? f(x * 8388608) : x
  const i = bits[0] - SQRT_HALF
  const e = (i >> 23) - (subnormal ? 23 : 0)
  bits[0] = (i & 0x7fffff) + SQRT_HALF
  const y = logOf(e, f(float[0] - 1), 0)
  return x > 0 ? (x < Infinity ? y : x) : x === 0 ? -Infinity : NaN
}

/** log(1 + x) = log u + c/u, where u = 1 + x rounded and c is what the rounding lost. */
export function log1p32(x: number): number {
  const u = f(1 + x)
  const c = f((u < 2 ? f(x - f(u - 1)) : f(1 - f(u - x))) / u)
  float[0] = u
  const i = bits[0] - SQRT_HALF
  const e = i >> 23
  bits[0] = (i & 0x7fffff) + SQRT_HALF
  const y = e === 0 ? logOf(0, x, 0) : logOf(e, f(float[0] - 1), c)
  return x > -1 ? (x < Infinity && x !== 0 ? y : x) : x === -1 ? -Infinity : NaN
}

/** e·ln 2 + log(1 + m) + c for √½ ≤ 1 + m < √2 and a tiny c. */
function logOf(e: number, m: number, c: number): number {
  const z = f(m * m)
  const p3 = f(f(f(f(f(f(L7 * m) + L6) * m) + L5) * m) + L4)
  const p = f(f(f(f(f(f(f(f(p3 * m) + L3) * m) + L2) * m) + L1) * m) + L0)
  const low = f(f(e * LN2_LOW32) + c)
  const y = f(f(f(f(m * z) * p) + low) - f(0.5 * z))
  return f(f(m + y) + f(e * LN2_HIGH32))
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)). */
export function softplus32(x: number): number {
  return f((x > 0 ? x : 0) + log1p32(exp32(x > 0 ? -x : x)))
}

/** erf(x) = 2NQ / (Q² + N²), as in tanh32. */
export function erf32(x: number): number {
  const a = x > ERF_LIMIT ? ERF_LIMIT : x < -ERF_LIMIT ? -ERF_LIMIT : x
  const z = f(a * a)
  const n = f(a * f(f(f(f(f(f(f(f(A4 * z) + A3) * z) + A2) * z) + A1) * z) + A0))
  const q = f(f(f(f(f(f(B3 * z) + B2) * z) + B1) * z) + B0)
  return f(f(f(n + n) * q) / f(f(q * q) + f(n * n)))
}
