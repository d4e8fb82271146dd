/** Arithmetic with extents that are symbols: the same as with numbers, and one form each. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  common,
  evaluate,
  plus,
  product,
  quotient,
  sliceCount,
  sliceRange,
  sum,
  times,
  windows,
} from '../../../src/model/shapes/dims.ts'
import type { Dim } from '../../../src/model/types.ts'

const symbols = { time: 11, batch: 3, 'f(n)': 5, 'a+b': 7 }
const numberOf = (dim: Dim): number =>
  evaluate(dim, (name) => symbols[name as keyof typeof symbols] ?? Number.NaN)

/** Expressions as layers make them. */
const dims: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<Dim>(...Object.keys(symbols), 1, 2, 5),
    fc.tuple(tie('dim'), fc.integer({ min: -2, max: 9 })).map(([a, b]) => plus(a, b)),
    fc.tuple(tie('dim'), fc.integer({ min: 1, max: 4 })).map(([a, b]) => times(a, b)),
    fc.array(tie('dim'), { minLength: 1, maxLength: 3 }).map(sum),
    fc.tuple(tie('dim'), tie('dim')).map(product),
    fc
      .tuple(tie('dim'), fc.integer({ min: 1, max: 3 }))
      .map(([a, stride]) =>
        windows(a, { size: 2, stride, dilation: 1, padding: { before: 1, after: 0 } }),
      ),
    tie('dim').map((a) => sliceCount(a, { start: null, end: 4, step: 1 })),
  ),
})).dim

describe('expressions have the values of numbers', () => {
  it('sum, product, plus, times', () => {
    fc.assert(
      fc.property(dims, dims, fc.integer({ min: -9, max: 9 }), (a, b, n) => {
        expect(numberOf(sum([a, b, n]))).toBe(numberOf(a) + numberOf(b) + n)
        expect(numberOf(product([a, b]))).toBe(numberOf(a) * numberOf(b))
        expect(numberOf(plus(a, n))).toBe(numberOf(a) + n)
        expect(numberOf(times(a, 3))).toBe(3 * numberOf(a))
      }),
    )
  })

  it('windows', () => {
    const side = fc.integer({ min: 0, max: 4 })
    const size = fc.integer({ min: 1, max: 4 })
    const explicit = fc.record({ before: side, after: side })
    const window = fc.record({
      size,
      stride: size,
      dilation: size,
      padding: fc.oneof(explicit, fc.constant('same' as const)),
    })
    fc.assert(
      fc.property(dims, window, (a, w) => {
        expect(numberOf(windows(a, w))).toBe(windows(numberOf(a), w))
      }),
    )
  })

  it('a product divided by one of its factors', () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        fc.pre(numberOf(b) !== 0)
        const left = quotient([a, b], [b])
        expect(left === null ? null : numberOf(left)).toBe(numberOf(a))
      }),
    )
  })

  it('slices of an axis that is long enough', () => {
    const at = fc.option(fc.integer({ min: -5, max: 5 }))
    const step = fc.integer({ min: -3, max: 3 }).filter((each) => each !== 0)
    fc.assert(
      fc.property(dims, at, at, step, (a, start, end, step) => {
        fc.pre(numberOf(a) >= 10)
        const slice = { start, end, step }
        expect(numberOf(sliceCount(a, slice))).toBe(sliceRange(numberOf(a), slice).count)
      }),
    )
  })
})

describe('equal expressions are equal strings', () => {
  it('in whatever order they are put together', () => {
    fc.assert(
      fc.property(dims, dims, dims, (a, b, c) => {
        expect(sum([a, sum([b, c])])).toBe(sum([sum([c, a]), b]))
        expect(product([a, product([b, c])])).toBe(product([product([c, a]), b]))
        expect(product([a, sum([b, c])])).toBe(sum([product([b, a]), product([a, c])]))
        expect(plus(plus(a, 5), -5)).toBe(sum([a]))
      }),
    )
  })

  it.each<[string, Dim, Dim]>([
    ['a sum', sum(['time', 2, 'batch']), '(batch+time+2)'],
    ['twice the same', sum(['time', 'time']), '2·time'],
    ['a product', product(['time', 6, 'batch']), '6·batch·time'],
    ['there and back', plus(plus('time', 4), -4), 'time'],
    ['nothing left', times('time', 0), 0],
    [
      'halves',
      windows('time', { size: 1, stride: 2, dilation: 1, padding: 'same' }),
      '⌊(time+1)/2⌋',
    ],
    [
      'a convolution after its transpose',
      windows(times('time', 2), { size: 1, stride: 2, dilation: 1, padding: 'same' }),
      'time',
    ],
    ['all but one', sliceCount('time', { start: 1, end: null, step: 1 }), '(time−1)'],
    ['all but the last', sliceCount('time', { start: null, end: -1, step: 1 }), '(time−1)'],
    ['the last one', sliceCount('time', { start: -1, end: null, step: 1 }), 1],
    ['the third', sliceCount('time', { start: 2, end: 3, step: 1 }), 1],
    ['backwards', sliceCount('time', { start: null, end: null, step: -1 }), 'time'],
    [
      'everything, as ONNX says it',
      sliceCount('time', { start: 0, end: 2 ** 63, step: 1 }),
      'time',
    ],
    ['ten or fewer', sliceCount('time', { start: null, end: 10, step: 1 }), 'time[:10]'],
    ["a file's own name", plus('past-seq + 1', 2), '({past-seq + 1}+2)'],
    ["a file's own name again", plus('({past-seq + 1}+2)', -2), 'past-seq + 1'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })
})

it.each<[readonly Dim[], readonly Dim[], Dim | null]>([
  [[12], [4], 3],
  [[12], [5], null],
  [['batch', 12], ['batch', 5], null],
  [['batch', 'time', 6], ['time', 2], '3·batch'],
  [['(time+1)', 6], [3], '(2·time+2)'],
  [['batch', 'time', 6], ['rows', 6], '⌊6·batch·time/6·rows⌋'],
  [[0], [0], null],
])('%j divided by %j is %s', (whole, parts, expected) => {
  expect(quotient(whole, parts)).toBe(expected)
})

it.each<[Dim, Dim, Dim | null]>([
  ['time', 'time', 'time'],
  ['time', 4, 4],
  [4, 'time', 4],
  ['time', 'steps', 'time'],
  ['time', '(time+1)', null],
  [3, 4, null],
])('%s and %s have %s in common', (a, b, expected) => {
  expect(common(a, b)).toBe(expected)
})

describe('names from files are symbols, whatever they look like', () => {
  const calculate = (name: string) => {
    for (const dim of [sum([name, 'time']), product([name, 2]), quotient([name], ['time'])])
      expect(() => evaluate(dim!, () => 1)).not.toThrow()
  }

  it('any characters', () => {
    const own = fc.string({ unit: fc.constantFrom(...'()[]{}⌊⌋·+−-/:1a') })
    fc.assert(fc.property(fc.oneof(fc.string(), own), calculate), { numRuns: 500 })
  })

  it('brackets without end', () => {
    calculate('('.repeat(50_000))
    calculate('⌊'.repeat(50_000))
    calculate(`${'⌊'.repeat(990)}a${'/2⌋'.repeat(990)}`)
  })
})
