import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeBfloat16,
  decodeHalf,
  encodeBfloat16,
  encodeHalf,
} from '../../src/bytes/numbers/half.ts'

const PATTERNS = 65_536

const formats = [
  {
    name: 'float16',
    decode: decodeHalf,
    encode: encodeHalf,
    exponentBits: 5,
    fractionBits: 10,
    largest: 65_504,
  },
  {
    name: 'bfloat16',
    decode: decodeBfloat16,
    encode: encodeBfloat16,
    exponentBits: 8,
    fractionBits: 7,
    largest: (2 - 2 ** -7) * 2 ** 127,
  },
]

describe.each(formats)('$name', ({ decode, encode, exponentBits, fractionBits, largest }) => {
  const infinity = (2 ** exponentBits - 1) << fractionBits

  test('each of the 65,536 patterns decodes to the value that IEEE 754 gives it', () => {
    for (let bits = 0; bits < PATTERNS; bits++) {
      const value = byDefinition(bits, exponentBits, fractionBits)
      if (!Object.is(decode(bits), value)) expect([bits, decode(bits)]).toEqual([bits, value])
    }
  })

  test('each of the 65,536 patterns encodes back to itself, every NaN to the quiet one', () => {
    for (let bits = 0; bits < PATTERNS; bits++) {
      const quiet = infinity | (1 << (fractionBits - 1))
      const wanted = (bits & 0x7fff) > infinity ? quiet : bits
      if (encode(decode(bits)) !== wanted)
        expect([bits, encode(decode(bits))]).toEqual([bits, wanted])
    }
  })

  test('between any two neighbours: the nearest one, half-way the even one', () => {
    for (let bits = 0; bits < infinity - 1; bits++) {
      const low = decode(bits)
      const high = decode(bits + 1)
      const middle = (low + high) / 2
      const even = bits % 2 === 0 ? bits : bits + 1
      const tiny = (high - low) * 2 ** -20
      const results = [
        encode(middle),
        encode(middle - tiny),
        encode(middle + tiny),
        encode(-middle),
      ]
      const wanted = [even, bits, bits + 1, even | 0x8000]
      if (results.some((each, i) => each !== wanted[i]))
        expect([bits, results]).toEqual([bits, wanted])
    }
  })

  test('from half a step beyond the largest number on, infinity', () => {
    const step = largest - decode(infinity - 2)
    expect(decode(infinity - 1)).toBe(largest)
    expect(encode(largest + step / 2)).toBe(infinity)
    expect(encode(largest + step * 0.499)).toBe(infinity - 1)
    expect(encode(Number.MAX_VALUE)).toBe(infinity)
    expect(encode(Number.NEGATIVE_INFINITY)).toBe(infinity | 0x8000)
  })

  test('what is below half the smallest number is a signed zero', () => {
    const smallest = decode(1)
    expect(encode(smallest / 2)).toBe(0)
    expect(encode(-smallest / 2)).toBe(0x8000)
    expect(encode(smallest * 0.501)).toBe(1)
    expect(encode(Number.MIN_VALUE)).toBe(0)
  })

  test('no float64 has a closer neighbour than the one it is rounded to', () => {
    fc.assert(
      fc.property(fc.double({ min: -largest, max: largest, noNaN: true }), (value) => {
        const bits = encode(value)
        const error = Math.abs(decode(bits) - value)
        for (const neighbour of [bits - 1, bits + 1]) {
          if (neighbour < 0 || (neighbour & 0x7fff) >= infinity) continue
          expect(error).toBeLessThanOrEqual(Math.abs(decode(neighbour) - value))
        }
      }),
    )
  })
})

test('bfloat16 is rounded once: by way of float32 this would round up', () => {
  // 1 + 2^-8 is half-way between 1 and 1 + 2^-7; float32 cannot hold the number just below it.
  expect(decodeBfloat16(encodeBfloat16(1 + 3 * 2 ** -8 - 2 ** -40))).toBe(1 + 2 ** -7)
  expect(decodeBfloat16(encodeBfloat16(Math.fround(1 + 3 * 2 ** -8 - 2 ** -40)))).toBe(1 + 2 ** -6)
})

/** IEEE 754-2019, 3.4: sign, biased exponent, fraction. */
function byDefinition(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> 15 ? -1 : 1
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1)
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits
  const bias = 2 ** (exponentBits - 1) - 1
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign / 0 : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias)
  return sign * (1 + fraction) * 2 ** (exponent - bias)
}
