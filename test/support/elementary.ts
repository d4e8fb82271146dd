/** Measures the errors of the elementary functions against exact ones. */

import { readFileSync } from 'node:fs'
import * as math32 from '../../src/runtime/js/math32.ts'
import * as math64 from '../../src/runtime/js/math64.ts'

type Function1 = (x: number) => number

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) : 1) / (1 + Math.exp(-Math.abs(x)))
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** Each float32 function with a float64 one, whose own error is invisible in float32. */
/** The function, the exact one, and optionally the magnitude below which both count as 0. */
export const functions32 = {
  tanh32: [math32.tanh32, Math.tanh],
  sigmoid32: [math32.sigmoid32, sigmoid, 2 ** -126],
  exp32: [math32.exp32, Math.exp],
  expm1_32: [math32.expm1_32, Math.expm1],
  log32: [math32.log32, Math.log],
  log1p32: [math32.log1p32, Math.log1p],
  softplus32: [math32.softplus32, softplus],
  // JavaScript has no erf; ours in float64 is itself compared with 400 digits.
  erf32: [math32.erf32, math64.erf64],
} as const satisfies Record<string, readonly [Function1, Function1, number?]>

export const functions64 = {
  tanh64: math64.tanh64,
  sigmoid64: math64.sigmoid64,
  exp64: math64.exp64,
  expm1_64: math64.expm1_64,
  log64: math64.log64,
  log1p64: math64.log1p64,
  softplus64: math64.softplus64,
  erf64: math64.erf64,
} as const satisfies Record<string, Function1>

export type Name32 = keyof typeof functions32
export type Name64 = keyof typeof functions64

export interface Worst {
  absolute: number
  absoluteAt: number
  /** In units in the last place of the exact result's binade. */
  ulp: number
  ulpAt: number
  /** Arguments whose result is NaN where the exact one is not, or the reverse. */
  nan: number[]
  /** Arguments whose result is not a number of the precision. */
  unrounded: number[]
}

const scratch = new Float64Array(1)
const words = new Int32Array(scratch.buffer)

/** The spacing of numbers around `exact`, for numbers with so many bits. */
function ulpOf(exact: number, fractionBits: number, minExponent: number): number {
  scratch[0] = exact
  const exponent = ((words[1] >> 20) & 0x7ff) - 1023
  return 2 ** (Math.max(exponent, minExponent) - fractionBits)
}

function compare(worst: Worst, x: number, got: number, exact: number, ulp: number): void {
  if (Number.isNaN(got) || Number.isNaN(exact)) {
    if (Number.isNaN(got) !== Number.isNaN(exact)) worst.nan.push(x)
    return
  }
  const error = got === exact ? 0 : Math.abs(got - exact)
  if (error > worst.absolute) {
    worst.absolute = error
    worst.absoluteAt = x
  }
  if (error / ulp > worst.ulp) {
    worst.ulp = error / ulp
    worst.ulpAt = x
  }
}

const nothing = (): Worst => ({
  absolute: 0,
  absoluteAt: 0,
  ulp: 0,
  ulpAt: 0,
  nan: [],
  unrounded: [],
})

/** Calls `visit` with every `stride`th of the 2³² float32 bit patterns. */
export function sweep32(stride: number, visit: (x: number) => void): void {
  const float = new Float32Array(1)
  const pattern = new Uint32Array(float.buffer)
  for (let i = 0; i < 2 ** 32; i += stride) {
    pattern[0] = i
    visit(float[0])
  }
}

/** Calls `visit` with every float32 from `low` to `high`, both positive. */
export function eachFloat32(low: number, high: number, visit: (x: number) => void): void {
  const float = Float32Array.of(high, low)
  const pattern = new Uint32Array(float.buffer)
  for (; pattern[1] <= pattern[0]; pattern[1]++) visit(float[1])
}

/** The largest errors over every `stride`th float32; infinity counts as 2¹²⁸, the next number. */
export function measure32(name: Name32, stride: number): Worst {
  const row: readonly [Function1, Function1, number?] = functions32[name]
  const [approximate, exactly, smallest = 0] = row
  const top = 2 ** 128
  const finite = (y: number): number => (y > top ? top : y < -top ? -top : y)
  const worst = nothing()
  sweep32(stride, (x) => {
    const got = approximate(x)
    if (!Object.is(got, Math.fround(got))) worst.unrounded.push(x)
    const exact = finite(exactly(x))
    if (Math.abs(exact) < smallest && Math.abs(got) < smallest) return
    compare(worst, x, finite(got), exact, ulpOf(exact === top ? 1e38 : exact, 23, -126))
  })
  return worst
}

/** [x, y, rest]: f(x) in 400 digits is y + rest · ulp of y (`tools/fit_approximations.py`). */
const samples64: Record<Name64, [number, number, number][]> = JSON.parse(
  readFileSync(new URL('../fixtures/math64.json', import.meta.url), 'utf8'),
)

/** The largest errors over the samples; in ulp, `absolute` too. */
export function measure64(name: Name64): Worst {
  const worst = nothing()
  for (const [x, y, rest] of samples64[name]) {
    const ulp = ulpOf(y, 52, -1022)
    const got = functions64[name](x)
    // The difference is exact, so that the fraction of an ulp can be taken off.
    compare(worst, x, Number.isNaN(got) ? NaN : (got - y) / ulp - rest, 0, 1)
  }
  return worst
}
