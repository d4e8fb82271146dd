/**
 * The elementary functions in float64, of the same operations as `math32.ts` and with the same care
 * for NaN: `x > LIMIT ? LIMIT : x` is `f64x2.pmin(x, LIMIT)` with x first.
 */

import { ERF64, ERFC64, EXP64, LN2_HIGH64, LN2_LOW64, LOG64 } from '../math/constants64.ts'

// The only way to a number's bits without allocating (a BigInt would allocate). Module state, but
// never between two calls.
const float = new Float64Array(1)
const words = new Int32Array(float.buffer)
float[0] = 1
/** The word with sign and exponent: 1 where bytes are little-endian. */
const HIGH = words[1] === 0 ? 0 : 1
const LOW = 1 - HIGH

// Scalars, because V8 folds a module's constant into the code, but not an array's element.
const [E0, E1, E2, E3, E4, E5, E6, E7, E8, E9, E10] = EXP64
const [L0, L1, L2, L3, L4, L5, L6] = LOG64
const [A0, A1, A2, A3, A4, A5] = ERF64.p
const [B0, B1, B2, B3, B4, B5] = ERF64.q
const [C0, C1, C2, C3, C4, C5] = ERFC64.p
const [D0, D1, D2, D3, D4, D5, D6] = ERFC64.q
const ERF_SPLIT = ERF64.limit
const ERF_LIMIT = ERFC64.limit

/** 1.5 · 2⁵²: added to a small number, it leaves the nearest integer in the last bits. */
const ROUND = 6755399441055744
/** The high word of √½: what the fraction of a logarithm's argument is measured from. */
const SQRT_HALF = 0x3fe6a09e

/** tanh(x) = t / (t + 2), t = e^(2x) − 1. */
export function tanh64(x: number): number {
  const a = x < 0 ? -x : x
  const t = expm1_64(a > 22 ? 44 : 2 * a)
  const y = t / (t + 2)
  // Both sides from |x|, so that the function is odd; x itself where it is 0, −0 or NaN.
  return x > 0 ? y : x < 0 ? -y : x
}

/** σ(x) with small probabilities as accurate as large ones: e^(−|x|) never overflows. */
export function sigmoid64(x: number): number {
  const e = exp64(x > 0 ? -x : x)
  return (x < 0 ? e : 1) / (1 + e)
}

/** e^r − 1 − r for |r| ≤ ln 2 / 2. */
function expTail(r: number): number {
  const p5 = ((((E10 * r + E9) * r + E8) * r + E7) * r + E6) * r + E5
  return r * r * (((((p5 * r + E4) * r + E3) * r + E2) * r + E1) * r + E0)
}

/** e^x = 2ⁿ·e^r, r = high − low = x − n·ln 2. */
export function exp64(x: number): number {
  // Beyond these the result is 0 or infinite anyway; n stays within −1076 … 1024.
  const a = x > 710 ? 710 : x < -746 ? -746 : x
  const n = a * Math.LOG2E + ROUND - ROUND
  const high = a - n * LN2_HIGH64
  const low = n * LN2_LOW64
  const y = 1 + (high + (expTail(high - low) - low))
  // In two steps, because 2ⁿ itself may not be a normal number. The first is exact.
  const i = n | 0
  const half = i >> 1
  words[LOW] = 0
  words[HIGH] = (half + 1023) << 20
  const scaled = y * float[0]
  words[HIGH] = (i - half + 1023) << 20
  return scaled * float[0]
}

/** e^x − 1 = 2ⁿ·(e^r − 1) + (2ⁿ − 1). */
export function expm1_64(x: number): number {
  const a = x > 710 ? 710 : x < -50 ? -50 : x
  const n = a * Math.LOG2E + ROUND - ROUND
  const high = a - n * LN2_HIGH64
  const low = n * LN2_LOW64
  const y = high + (expTail(high - low) - low)
  // Half of everything, because 2¹⁰²⁴ is too large for a float64.
  words[LOW] = 0
  words[HIGH] = ((n | 0) + 1022) << 20
  const s = float[0]
  const scaled = 2 * (s * y + (s - 0.5))
  // −0 would come out as 0, and halving would cost a subnormal its last bit.
  return x === 0 ? x : n === 0 ? y : scaled
}

/** log(2ᵉ·m) = e·ln 2 + log m, √½ ≤ m < √2. */
export function log64(x: number): number {
  const subnormal = x < 2.2250738585072014e-308
  float[0] = subnormal ? x * 4503599627370496 : x
  const i = words[HIGH] - SQRT_HALF
  const e = (i >> 20) - (subnormal ? 52 : 0)
  words[HIGH] = (i & 0xfffff) + SQRT_HALF
  const y = logOf(e, float[0] - 1, 0)
  return x > 0 ? (x < Infinity ? y : x) : x === 0 ? -Infinity : NaN
}

/** log(1 + x) = log u + c/u, where u = 1 + x rounded and c is what the rounding lost. */
export function log1p64(x: number): number {
  const u = 1 + x
  const c = (u < 2 ? x - (u - 1) : 1 - (u - x)) / u
  float[0] = u
  const i = words[HIGH] - SQRT_HALF
  const e = i >> 20
  words[HIGH] = (i & 0xfffff) + SQRT_HALF
  const y = e === 0 ? logOf(0, x, 0) : logOf(e, float[0] - 1, c)
  return x > -1 ? (x < Infinity && x !== 0 ? y : x) : x === -1 ? -Infinity : NaN
}

/**
 * e·ln 2 + log(1 + f) + c for √½ ≤ 1 + f < √2 and a tiny c. With s = f / (2 + f):
 * log(1 + f) = 2s + s³·P(s²), and 2s = f − f²/2 + s·f²/2, whose first term is exact.
 */
function logOf(e: number, f: number, c: number): number {
  const s = f / (2 + f)
  const z = s * s
  const p = z * ((((((L6 * z + L5) * z + L4) * z + L3) * z + L2) * z + L1) * z + L0)
  const square = 0.5 * f * f
  return e * LN2_HIGH64 - (square - (s * (square + p) + (e * LN2_LOW64 + c)) - f)
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)). */
export function softplus64(x: number): number {
  return (x > 0 ? x : 0) + log1p64(exp64(x > 0 ? -x : x))
}

/** erf(x) = x + x·P(x²)/Q(x²) below 1, and 1 − e^(−x²)·P(x)/Q(x) from there on. */
export function erf64(x: number): number {
  const a = x < 0 ? -x : x
  let y: number
  if (a < ERF_SPLIT) {
    const z = a * a
    const p = ((((A5 * z + A4) * z + A3) * z + A2) * z + A1) * z + A0
    const q = ((((B5 * z + B4) * z + B3) * z + B2) * z + B1) * z + B0
    y = a + a * (p / q)
  } else {
    const b = a > ERF_LIMIT ? ERF_LIMIT : a
    const p = ((((C5 * b + C4) * b + C3) * b + C2) * b + C1) * b + C0
    const q = (((((D6 * b + D5) * b + D4) * b + D3) * b + D2) * b + D1) * b + D0
    y = 1 - exp64(-b * b) * (p / q)
  }
  return x > 0 ? y : x < 0 ? -y : x
}
