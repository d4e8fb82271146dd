/** Counts the digits of printed numbers, and prints numbers with as few digits as they need. */

import type { PrintedDigits } from '../../tensor.ts'

/** `PrintedDigits` while they are being counted. */
export type Digits = { -readonly [K in keyof PrintedDigits]: number }

export function noDigits(): Digits {
  return { decimals: 0, significant: 0 }
}

/** Beyond it every exponent means 0 or infinity, so its exact value does not matter. */
const MOST_EXPONENT = 9999

/**
 * Whether text[from, to) is a decimal number (`-1.5`, `+.5e-3`, `2.`); if so, `digits` is raised to
 * the digits that it has.
 */
export function countDigits(text: string, from: number, to: number, digits: Digits): boolean {
  let at = from
  let first = text.charCodeAt(at)
  if (at < to && (first === PLUS || first === MINUS)) at++
  let leading = true
  let seen = 0
  let significant = 0
  let decimals = 0
  let point = false
  for (; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === POINT && !point) {
      point = true
      continue
    }
    if (code < ZERO || code > NINE) break
    seen++
    if (code !== ZERO) leading = false
    if (!leading) significant++
    if (point) decimals++
  }
  if (seen === 0) return false
  if (at < to) {
    if ((text.charCodeAt(at++) | LOWER_CASE) !== LETTER_E) return false
    first = text.charCodeAt(at)
    if (at < to && (first === PLUS || first === MINUS)) at++
    if (at === to) return false
    let exponent = 0
    for (; at < to; at++) {
      const code = text.charCodeAt(at)
      if (code < ZERO || code > NINE) return false
      exponent = Math.min(exponent * 10 + code - ZERO, MOST_EXPONENT)
    }
    decimals = Math.max(0, first === MINUS ? decimals + exponent : decimals - exponent)
  }
  if (decimals > digits.decimals) digits.decimals = decimals
  if (significant > digits.significant) digits.significant = significant
  return true
}

const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LETTER_E = 0x65
const LOWER_CASE = 0x20

const SMALLEST_NORMAL_FLOAT32 = 2 ** -126

/**
 * A number with as few digits as read back to the same value; NaN and infinities as NumPy prints
 * them: `nan`, `inf`, `-inf`.
 * @param single whether "the same" means after rounding to float32.
 */
export function showNumber(value: number, single: boolean): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  if (!single) return `${value}`
  // A number of up to six digits survives a normal float32, so where six are enough the digits that
  // are not needed are zeros, which `Number` drops; nine are enough for any number.
  let digits = Math.abs(value) < SMALLEST_NORMAL_FLOAT32 ? 1 : 6
  let printed = Number(value.toPrecision(digits))
  while (Math.fround(printed) !== value) printed = Number(value.toPrecision(++digits))
  return `${printed}`
}
