import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signed, unsigned } from '../../../src/runtime/wasm/encoding.ts'
import { constant, immediate, signed64 } from '../../../src/runtime/wasm/immediates.ts'

/** LEB128 read back as the specification defines it: seven bits a byte, the lowest first. */
function decode(bytes: readonly number[], isSigned: boolean): bigint {
  bytes.forEach((byte, i) => {
    expect(byte >> 7).toBe(i < bytes.length - 1 ? 1 : 0)
  })
  const value = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n)
  const width = 7 * bytes.length
  return isSigned ? BigInt.asIntN(width, value) : value
}

/** Numbers of all lengths, those around each power of two among them. */
function integers(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  const edges = Array.from({ length: 65 }, (_, i) => 1n << BigInt(i))
    .flatMap((power) => [power - 1n, power, power + 1n])
    .flatMap((value) => [value, -value])
    .filter((value) => value >= min && value <= max)
  return fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min, max }))
}

describe('LEB128', () => {
  it('of a u32 reads back, in as few bytes as hold it', () => {
    fc.assert(
      fc.property(integers(0n, 2n ** 32n - 1n), (value) => {
        const bytes = unsigned(Number(value))
        expect(decode(bytes, false)).toBe(value)
        expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
      }),
      { numRuns: 2000 },
    )
  })

  it('of an i32 is that of the same number among the i64', () => {
    fc.assert(
      fc.property(integers(-(2n ** 31n), 2n ** 31n - 1n), (value) => {
        expect(signed(Number(value))).toEqual(signed64(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('of an i64 reads back, in as few bytes as hold it and its sign', () => {
    fc.assert(
      fc.property(integers(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        const bytes = signed64(value)
        expect(decode(bytes, true)).toBe(value)
        if (bytes.length > 1) expect(BigInt.asIntN(7 * (bytes.length - 1), value)).not.toBe(value)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16384, '808001'],
    [624485, 'e58e26'],
    [4294967295, 'ffffffff0f'],
  ])('u32 %d is %s', (value, hex) => {
    expect(Buffer.from(unsigned(value)).toString('hex')).toBe(hex)
  })

  it.each([
    [0n, '00'],
    [63n, '3f'],
    [64n, 'c000'],
    [-1n, '7f'],
    [-64n, '40'],
    [-65n, 'bf7f'],
    [-123456n, 'c0bb78'],
    [-(2n ** 31n), '8080808078'],
    [-(2n ** 63n), '8080808080808080807f'],
  ])('i64 %d is %s', (value, hex) => {
    expect(Buffer.from(signed64(value)).toString('hex')).toBe(hex)
  })
})

describe('constants', () => {
  it('i32 and i64 may be written signed or unsigned', () => {
    expect(constant('i32', 2 ** 32 - 1)).toEqual(constant('i32', -1))
    expect(constant('i64', 2n ** 64n - 1n)).toEqual(constant('i64', -1n))
    expect(constant('i32', -0)).toEqual([0x41, 0])
  })

  it('f32 and f64 are the bits of the nearest number, the sign of zero kept', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const [f32, f64] = [constant('f32', value)!, constant('f64', value)!]
        expect(Buffer.from(f32.slice(1)).readFloatLE()).toBe(Math.fround(value))
        expect(Buffer.from(f64.slice(1)).readDoubleLE()).toBe(value)
      }),
    )
  })

  it.each([
    ['i32', 2 ** 32],
    ['i32', -(2 ** 31) - 1],
    ['i32', 0.5],
    ['i32', Number.NaN],
    ['i32', '1'],
    ['i64', 2n ** 64n],
    ['i64', -(2n ** 63n) - 1n],
    ['i64', 1.5],
    ['f32', 1n],
    ['f64', undefined],
    // JavaScript leaves open which NaN it is.
    ['f32', Number.NaN],
    ['f64', Number.NaN],
    ['v128', 1],
    [undefined, 1],
  ] as const)('there is no %s.const %s', (type, value) => {
    expect(constant(type, value)).toBeUndefined()
  })

  it('a vector is its lanes, or one number in all of them', () => {
    expect(immediate('v128', 'f32x4', [1, 1, 1, 1])).toEqual(immediate('v128', 'f32x4', 1))
    expect(immediate('v128', 'i32x4', [1, -1, 2 ** 31, 0])).toEqual([
      ...[1, 0, 0, 0],
      ...[255, 255, 255, 255],
      ...[0, 0, 0, 128],
      ...[0, 0, 0, 0],
    ])
    expect(immediate('v128', 'i64x2', [-2n, 258n])).toEqual([
      ...[254, 255, 255, 255, 255, 255, 255, 255],
      ...[2, 1, 0, 0, 0, 0, 0, 0],
    ])
  })

  it.each([
    ['three lanes of four', 'f32x4', [1, 2, 3]],
    ['five lanes of four', 'f32x4', [1, 2, 3, 4, 5]],
    ['an unusual lane that makes up for a surplus one', 'f32x4', [1, 2, 3, Number.NaN, 5]],
    ['a fraction among integers', 'i32x4', [0, 0, 0, 0.5]],
    ['a lane that is too large', 'i64x2', 2n ** 64n],
  ])('a vector literal is not %s', (_, shape, lanes) => {
    expect(immediate('v128', shape, lanes)).toBeUndefined()
  })
})
