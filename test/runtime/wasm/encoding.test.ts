import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signed, unsigned } from '../../../src/runtime/wasm/assembler/encoding.ts'

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
  const edges = Array.from({ length: 33 }, (_, i) => 1n << BigInt(i))
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

  it('of an i32 reads back, in as few bytes as hold it and its sign', () => {
    fc.assert(
      fc.property(integers(-(2n ** 31n), 2n ** 31n - 1n), (value) => {
        const bytes = signed(Number(value))
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
    [0, '00'],
    [63, '3f'],
    [64, 'c000'],
    [-1, '7f'],
    [-64, '40'],
    [-65, 'bf7f'],
    [-123456, 'c0bb78'],
    [-(2 ** 31), '8080808078'],
    // Unsigned, the same bits.
    [2 ** 32 - 1, '7f'],
  ])('i32 %d is %s', (value, hex) => {
    expect(Buffer.from(signed(value)).toString('hex')).toBe(hex)
  })
})
