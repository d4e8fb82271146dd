/**
 * Arithmetic with extents, some of which are symbols: what is not known yet stays an expression.
 * Expressions have one form each, so that equal ones are equal strings: sums of products, written
 * `(6·batch·time+2)`, with the parts ⌊a/b⌋ and `time[0:10]` (a slice) as further symbols.
 */

import type { Dim } from '../nodes/base.ts'
import type { Slice } from '../nodes/tensor.ts'

export interface Window {
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly padding: { readonly before: number; readonly after: number } | 'same'
}

/** Coefficients by product of symbols (`batch·time`); the constant is that of the empty product. */
type Sum = ReadonlyMap<string, number>

/** How many windows fit along an axis; below 0 where the axis is too short for its padding. */
export function windows(extent: Dim, { size, stride, dilation, padding }: Window): Dim {
  const reach = (size - 1) * dilation + 1
  const spare = padding === 'same' ? stride - 1 : padding.before + padding.after - reach + stride
  // ⌊(extent + spare) / stride⌋; `same` gives ⌈extent / stride⌉.
  return floorOf(plus(extent, spare), stride)
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
  return sum([a, b])
}

/** a·b, for a number b. */
export function times(a: Dim, b: number): Dim {
  return product([a, b])
}

export function sum(extents: readonly Dim[]): Dim {
  return write(added(extents.map(read)))
}

export function product(extents: readonly Dim[]): Dim {
  return write(extents.map(read).reduce(multiplied, read(1)))
}

/** What times `parts` makes `whole`; null where there is no such number, ⌊whole/parts⌋ where that is open. */
export function quotient(whole: readonly Dim[], parts: readonly Dim[]): Dim | null {
  const [a, b] = [product(whole), product(parts)]
  if (a === b && b !== 0) return 1
  if (b === 0) return null
  if (typeof a === 'number' && typeof b === 'number') return a % b === 0 ? a / b : null
  const divisor = read(b)
  if (divisor.size === 1) {
    const [[symbols, count]] = divisor
    const terms = [...read(a)].map(([key, by]) => [without(key, symbols), by / count] as const)
    if (terms.every((term): term is [string, number] => term[0] !== null && term[1] % 1 === 0))
      return write(new Map(terms))
    // 7·batch is no multiple of 6·batch, whatever the batch.
    if (terms.length === 1 && terms[0][0] === '') return null
  }
  return `⌊${a}/${b}⌋`
}

/** The extent of two axes that must be as long as each other; null where they cannot be. */
export function common(a: Dim, b: Dim): Dim | null {
  if (a === b) return a
  const difference = write(added([read(a), multiplied(read(b), read(-1))]))
  if (typeof difference === 'number' && difference !== 0) return null
  return typeof a === 'number' ? a : typeof b === 'number' ? b : a
}

/**
 * How many elements a slice takes. Of an axis whose extent is a symbol it is taken to be long
 * enough for the slice, as `x[:, 1:]` has one step less; where that would be a guess, as in
 * `x[:, :10]`, the slice stays an expression.
 */
export function sliceCount(extent: Dim, slice: Slice): Dim {
  if (typeof extent === 'number') return sliceRange(extent, slice).count
  const { step } = slice
  const start = within(slice.start)
  const end = within(slice.end)
  // Each position is a number, or a number beside the end of the axis.
  const first = start ?? (step > 0 ? 0 : -1)
  const firstFromEnd = start === null ? step < 0 : start < 0
  const last = end ?? (step > 0 ? 0 : -1)
  const lastFromEnd = end === null ? step > 0 : end < 0
  const size = Math.abs(step)
  const whole = Math.sign(step) * (last - first)
  if (firstFromEnd === lastFromEnd) {
    const count = Math.max(Math.ceil(whole / size), 0)
    if (firstFromEnd || count <= 1) return count
  } else if (lastFromEnd === step > 0) return floorOf(plus(extent, whole + size - 1), size)
  const text = `${start ?? ''}:${end ?? ''}${step === 1 ? '' : `:${step}`}`
  return `${asFactor(extent)}[${text}]`
}

/** Where a slice begins and how many elements it takes, of an axis of known extent. */
export function sliceRange(
  extent: number,
  { start, end, step }: Slice,
): { readonly first: number; readonly count: number } {
  const clamp = (at: number): number => {
    const from = at < 0 ? at + extent : at
    return step > 0 ? Math.min(Math.max(from, 0), extent) : Math.min(Math.max(from, -1), extent - 1)
  }
  const first = start === null ? (step > 0 ? 0 : extent - 1) : clamp(start)
  const last = end === null ? (step > 0 ? extent : -1) : clamp(end)
  return { first, count: Math.max(Math.ceil((last - first) / step), 0) }
}

/** The number behind an expression, from the numbers behind its symbols. */
export function evaluate(extent: Dim, symbol: (name: string) => number): number {
  const factor = (text: string): number => {
    const slice = SLICE.exec(text)
    if (slice !== null) {
      const [, axis, start, end, step = '1'] = slice
      const position = (at: string): number | null => (at === '' ? null : Number(at))
      return sliceRange(evaluate(axis, symbol), {
        start: position(start),
        end: position(end),
        step: Number(step),
      }).count
    }
    if (!isFloor(text)) return symbol(unbraced(text))
    const [a, b] = split(text.slice(1, -1), '/')!
    return Math.floor(evaluate(a, symbol) / evaluate(b, symbol))
  }
  let total = 0
  for (const [key, count] of read(extent)) {
    total += factors(key).reduce((value, text) => value * factor(text), count)
  }
  return total
}

/** Positions that only say "to the end", as ONNX writes them. */
function within(position: number | null): number | null {
  return position !== null && Math.abs(position) >= 2 ** 31 - 1 ? null : position
}

/** ⌊a/by⌋, with everything before the brackets that by divides. */
function floorOf(a: Dim, by: number): Dim {
  const outside = new Map<string, number>()
  const inside = new Map<string, number>()
  for (const [key, count] of read(a)) {
    const whole = Math.floor(count / by)
    if (key === '' || count % by === 0) outside.set(key, whole)
    inside.set(key, count - (outside.get(key) ?? 0) * by)
  }
  const rest = write(inside)
  if (typeof rest === 'string') outside.set(`⌊${rest}/${by}⌋`, 1)
  return write(outside)
}

function added(sums: readonly Sum[]): Sum {
  const total = new Map<string, number>()
  for (const terms of sums)
    for (const [key, count] of terms) total.set(key, (total.get(key) ?? 0) + count)
  return total
}

function multiplied(a: Sum, b: Sum): Sum {
  const terms: Sum[] = []
  for (const [keyA, countA] of a)
    for (const [keyB, countB] of b) terms.push(new Map([[joined(keyA, keyB), countA * countB]]))
  return added(terms)
}

/** Two products of symbols as one. */
function joined(a: string, b: string): string {
  return [...factors(a), ...factors(b)].sort().join('·')
}

/** A product without these factors; null where it lacks one. */
function without(key: string, symbols: string): string | null {
  const left = factors(key)
  for (const symbol of factors(symbols)) {
    const at = left.indexOf(symbol)
    if (at < 0) return null
    left.splice(at, 1)
  }
  return left.join('·')
}

function factors(key: string): string[] {
  return key === '' ? [] : split(key, '·')!
}

function write(terms: Sum): Dim {
  const constant = terms.get('') ?? 0
  const keys = [...terms.keys()].filter((key) => key !== '' && terms.get(key) !== 0).sort()
  if (keys.length === 0) return constant
  let text = ''
  const append = (count: number, rest: string): void => {
    text += count < 0 ? '−' : text === '' ? '' : '+'
    text +=
      rest === '' ? Math.abs(count) : Math.abs(count) === 1 ? rest : `${Math.abs(count)}·${rest}`
  }
  for (const key of keys) append(terms.get(key)!, key)
  if (constant !== 0) append(constant, '')
  if (keys.length > 1 || constant !== 0 || text.startsWith('−')) return `(${text})`
  return unbraced(text)
}

/** A symbol that needs no braces inside an expression. */
const PLAIN = /^[^\s(){}[\]⌊⌋·+−/]+$/
const BRACED = /^\{([^(){}[\]⌊⌋]*)\}$/
const SLICE = /^(.+)\[(-?\d*):(-?\d*)(?::(-?\d+))?\]$/
/** Longer ones are not taken apart: names come from files, and could be anything. */
const LONGEST = 4000

/** A file's own name as a symbol: what it holds must not look like a part of an expression. */
function braced(name: string): string {
  if (PLAIN.test(name)) return name
  const escaped = name.replace(/[%(){}[\]⌊⌋]/g, (each) => `%${each.charCodeAt(0).toString(16)};`)
  return `{${escaped}}`
}

function unbraced(text: string): string {
  const name = BRACED.exec(text)?.[1] ?? text
  if (name === text) return text
  return name.replace(/%([\da-f]+);/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
}

function isFloor(text: string): boolean {
  return /^⌊.*⌋$/.test(text) && split(text.slice(1, -1), '/')?.length === 2
}

function isFactor(text: string): boolean {
  return PLAIN.test(text) || BRACED.test(text) || SLICE.test(text) || isFloor(text)
}

/** What `write` wrote; everything else is one symbol. */
function read(extent: Dim): Sum {
  if (typeof extent === 'number') return new Map([['', extent]])
  const symbol: Sum = new Map([[braced(extent), 1]])
  if (extent.length > LONGEST) return symbol
  const inner = /^\((.*)\)$/.exec(extent)?.[1]
  const terms = inner === undefined ? [extent] : split(inner, '+−')
  if (terms === null) return symbol
  const sums: Sum[] = []
  let at = 0
  for (const text of terms) {
    const negative = inner !== undefined && at > 0 && inner[at - 1] === '−'
    at += text.length + 1
    if (text === '' && sums.length === 0 && terms.length > 1) continue
    const parts = split(text, '·')
    if (parts === null) return symbol
    const numbers = parts.filter((part) => /^\d+$/.test(part))
    const rest = parts.filter((part) => !/^\d+$/.test(part))
    if (!rest.every(isFactor)) return symbol
    const count = numbers.reduce((value, part) => value * Number(part), negative ? -1 : 1)
    sums.push(new Map([[rest.sort().join('·'), count]]))
  }
  return added(sums)
}

/** An expression that something can be put behind. */
function asFactor(extent: string): string {
  const terms = [...read(extent)]
  const [key, count] = terms[0]
  if (terms.length === 1 && count === 1 && factors(key).length === 1) return key
  // Sums and what is negative have their brackets already.
  return terms.length === 1 && count > 0 ? `(${extent})` : extent
}

/** The parts between separators outside all brackets; null where the brackets do not match. */
function split(text: string, separators: string): string[] | null {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if ('(⌊{['.includes(text[i])) depth++
    else if (')⌋}]'.includes(text[i]) && --depth < 0) return null
    else if (depth === 0 && separators.includes(text[i])) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return depth === 0 ? [...parts, text.slice(from)] : null
}
