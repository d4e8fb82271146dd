/** Arithmetic with extents, some of which are symbols: what is not known yet stays an expression. */

import type { Dim } from './nodes/base.ts'

export interface Window {
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly padding: { readonly before: number; readonly after: number } | 'same'
}

/** How many windows fit along an axis. */
export function windows(extent: Dim, { size, stride, dilation, padding }: Window): Dim {
  const reach = (size - 1) * dilation + 1
  const spare = padding === 'same' ? stride - 1 : padding.before + padding.after - reach + stride
  // ⌊(extent + spare) / stride⌋; `same` gives ⌈extent / stride⌉.
  if (typeof extent === 'number') return Math.floor((extent + spare) / stride)
  const sum = plus(extent, spare)
  return stride === 1 ? sum : `⌊${sum}/${stride}⌋`
}

/** Zeros before and after an axis, as TensorFlow divides them for `same`: the odd one goes after. */
export function samePadding(
  extent: number,
  { size, stride, dilation }: Omit<Window, 'padding'>,
): { readonly before: number; readonly after: number } {
  const reach = (size - 1) * dilation + 1
  const total = Math.max((Math.ceil(extent / stride) - 1) * stride + reach - extent, 0)
  return { before: Math.floor(total / 2), after: Math.ceil(total / 2) }
}

/** a + b, for a number b. */
export function plus(a: Dim, b: number): Dim {
  if (typeof a === 'number') return a + b
  if (b === 0) return a
  return b > 0 ? `(${a}+${b})` : `(${a}−${-b})`
}

/** a·b, for a number b. */
export function times(a: Dim, b: number): Dim {
  if (typeof a === 'number') return a * b
  return b === 1 ? a : `${a}·${b}`
}

export function sum(extents: readonly Dim[]): Dim {
  const known = extents.filter((extent) => typeof extent === 'number')
  const symbols = extents.filter((extent) => typeof extent === 'string')
  const total = known.reduce((a, b) => a + b, 0)
  if (symbols.length === 0) return total
  return plus(symbols.length === 1 ? symbols[0] : `(${symbols.join('+')})`, total)
}

export function product(extents: readonly Dim[]): Dim {
  const known = extents.filter((extent) => typeof extent === 'number')
  const symbols = extents.filter((extent) => typeof extent === 'string').sort()
  const total = known.reduce((a, b) => a * b, 1)
  if (symbols.length === 0) return total
  return times(symbols.join('·'), total)
}

/** What times `parts` makes `whole`; null where that cannot be said. */
export function quotient(whole: readonly Dim[], parts: readonly Dim[]): Dim | null {
  const left = whole.filter((extent) => typeof extent === 'string')
  for (const part of parts) {
    if (typeof part === 'number') continue
    const at = left.indexOf(part)
    if (at < 0) return null
    left.splice(at, 1)
  }
  const numbers = (extents: readonly Dim[]): number =>
    extents.reduce<number>((a, b) => (typeof b === 'number' ? a * b : a), 1)
  const rest = numbers(whole) / numbers(parts)
  return Number.isInteger(rest) ? product([...left, rest]) : null
}

/** Where a slice begins and how many elements it takes, of an axis of known extent. */
export function sliceRange(
  extent: number,
  {
    start,
    end,
    step,
  }: { readonly start: number | null; readonly end: number | null; readonly step: number },
): { readonly first: number; readonly count: number } {
  const clamp = (at: number): number => {
    const from = at < 0 ? at + extent : at
    return step > 0 ? Math.min(Math.max(from, 0), extent) : Math.min(Math.max(from, -1), extent - 1)
  }
  const first = start === null ? (step > 0 ? 0 : extent - 1) : clamp(start)
  const last = end === null ? (step > 0 ? extent : -1) : clamp(end)
  return { first, count: Math.max(Math.ceil((last - first) / step), 0) }
}
