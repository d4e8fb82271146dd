import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countDigits, type Digits, noDigits, showNumber } from '../../src/bytes/numbers/decimal.ts'
import { fixtureJson } from '../support/fixtures.ts'

function digitsOf(text: string): Digits | null {
  const digits = noDigits()
  return countDigits(text, 0, text.length, digits) ? digits : null
}

describe('countDigits', () => {
  test.each([
    ['0.10660', 5, 5],
    ['1.25e-3', 5, 3],
    ['-1.500', 3, 4],
    ['100', 0, 3],
    ['1e3', 0, 1],
    ['1.25e1', 1, 3],
    ['0', 0, 0],
    ['0.000', 3, 0],
    ['+.5', 1, 1],
    ['2.', 0, 1],
    ['007', 0, 1],
    ['3.516656756401062012e-01', 19, 19],
    ['1e-99999999999999999999', 9999, 1],
  ])('%s has %i decimals and %i significant digits', (text, decimals, significant) => {
    expect(digitsOf(text)).toEqual({ decimals, significant })
  })

  test.each([
    '',
    '.',
    '-',
    '+',
    'e5',
    '1e',
    '1e+',
    '1.2.3',
    '1 2',
    '0x10',
    '1_000',
    'nan',
    '--1',
    '1e5.5',
    '1f',
    '１',
  ])('%s is no number', (text) => expect(digitsOf(text)).toBeNull())

  test('keeps the finest that it has seen', () => {
    const digits = noDigits()
    for (const text of ['1.5', '12345', '0.001']) countDigits(text, 0, text.length, digits)
    expect(digits).toEqual({ decimals: 3, significant: 5 })
  })

  test('knows the decimals that were asked for', () => {
    fc.assert(
      fc.property(
        fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e20, max: 1e20 }),
        fc.integer({ min: 0, max: 20 }),
        (value, decimals) => {
          expect(digitsOf(value.toFixed(decimals))?.decimals).toBe(decimals)
          const significant = digitsOf(value.toExponential(decimals))?.significant
          expect(significant).toBe(Number(value.toExponential(decimals)) === 0 ? 0 : decimals + 1)
        },
      ),
    )
  })
})

describe('showNumber', () => {
  test('float64: reads back to the same bits', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const text = showNumber(value, false)
        if (Number.isFinite(value)) expect(Number(text)).toBe(value)
      }),
    )
  })

  test('float32: reads back to the same bits, with 9 digits or fewer', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = showNumber(value, true)
        expect(Math.fround(Number(text))).toBe(value)
        expect(digitsOf(text.replace(/e.*$/, ''))!.significant).toBeLessThanOrEqual(22)
      }),
      { numRuns: 2000 },
    )
  })

  test('float32: with as few digits as NumPy, for bit patterns from everywhere', () => {
    const { values, printed } = fixtureJson<{ values: number[]; printed: string[] }>(
      'data/float32-digits.json',
    )
    expect(values.length).toBeGreaterThan(500)
    values.forEach((value, i) => {
      const ours = Number(showNumber(value, true))
      if (ours !== Number(printed[i])) expect([value, ours]).toEqual([value, Number(printed[i])])
    })
  })

  test.each([
    [0.1, '0.1'],
    [-0, '-0'],
    [16_777_216, '16777216'],
    [2 ** -149, '1e-45'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [Number.NaN, 'nan'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('%d as float32 is %s', (value, text) => {
    expect(showNumber(Math.fround(value), true)).toBe(text)
  })
})
