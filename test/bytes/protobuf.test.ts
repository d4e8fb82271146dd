import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { describe, expect, test } from 'vitest'
import { type Message, message, readMessage } from '../../src/bytes/protobuf/read.ts'
import { isGruvError } from '../../src/errors.ts'
import { errorOf } from '../support/errors.ts'
import { flipBytes, shiftBytes, truncateEverywhere } from '../support/fuzz.ts'

interface Everything {
  readonly int32: number
  readonly int64: number
  readonly uint32: number
  readonly uint64: number
  readonly kind: number
  readonly fixed32: number
  readonly fixed64: number
  readonly float: number
  readonly double: number
  readonly bool: boolean
  readonly string: string
  readonly bytes: Uint8Array
  readonly maybe: number | undefined
  readonly inner: Everything | undefined
  readonly floats: readonly number[]
  readonly ints: readonly number[]
  readonly names: readonly string[]
  readonly inners: readonly Everything[]
}

const everything: Message<Everything> = message({
  int32: [1, 'int32'],
  int64: [2, 'int64'],
  uint32: [3, 'uint32'],
  uint64: [4, 'uint64'],
  kind: [5, 'enum'],
  fixed32: [6, 'fixed32'],
  fixed64: [7, 'fixed64'],
  float: [8, 'float'],
  double: [9, 'double'],
  bool: [10, 'bool'],
  string: [11, 'string'],
  bytes: [12, 'bytes'],
  maybe: [13, 'int32', 'optional'],
  inner: [14, () => everything, 'optional'],
  floats: [15, 'float', 'repeated'],
  ints: [16, 'int64', 'repeated'],
  names: [17, 'string', 'repeated'],
  inners: [2000, () => everything, 'repeated'],
})

const read = (bytes: Uint8Array): Everything => readMessage(bytes, everything)

const { Varint, Bit64, Bit32, LengthDelimited, StartGroup, EndGroup } = WireType
const write = (): BinaryWriter => new BinaryWriter()

function sample(): Uint8Array {
  const inner = write().tag(1, Varint).int32(7).tag(17, LengthDelimited).string('deep').finish()
  return write()
    .tag(1, Varint)
    .int32(-5)
    .tag(2, Varint)
    .int64(-(2 ** 40))
    .tag(3, Varint)
    .uint32(2 ** 32 - 1)
    .tag(4, Varint)
    .uint64(2 ** 53)
    .tag(5, Varint)
    .int32(3)
    .tag(6, Bit32)
    .fixed32(0xdeadbeef)
    .tag(7, Bit64)
    .fixed64(12345)
    .tag(8, Bit32)
    .float(0.1)
    .tag(9, Bit64)
    .double(0.1)
    .tag(10, Varint)
    .bool(true)
    .tag(11, LengthDelimited)
    .string('größe')
    .tag(12, LengthDelimited)
    .bytes(Uint8Array.of(1, 2, 3))
    .tag(14, LengthDelimited)
    .bytes(inner)
    .tag(15, LengthDelimited)
    .fork()
    .float(1.5)
    .float(-2)
    .join()
    .tag(15, Bit32)
    .float(4)
    .tag(16, Varint)
    .int64(-1)
    .tag(16, LengthDelimited)
    .fork()
    .int64(300)
    .int64(0)
    .join()
    .tag(17, LengthDelimited)
    .string('a')
    .tag(2000, LengthDelimited)
    .bytes(inner)
    .tag(17, LengthDelimited)
    .string('')
    .tag(2000, LengthDelimited)
    .bytes(new Uint8Array(0))
    .finish()
}

const nothing: Everything = {
  int32: 0,
  int64: 0,
  uint32: 0,
  uint64: 0,
  kind: 0,
  fixed32: 0,
  fixed64: 0,
  float: 0,
  double: 0,
  bool: false,
  string: '',
  bytes: new Uint8Array(0),
  maybe: undefined,
  inner: undefined,
  floats: [],
  ints: [],
  names: [],
  inners: [],
}

describe('messages by a table', () => {
  test('what is absent is zero, empty or undefined', () => {
    expect(read(new Uint8Array(0))).toEqual(nothing)
  })

  test('every type comes out; numbers may be packed, single, or both', () => {
    const inner = { ...nothing, int32: 7, names: ['deep'] }
    expect(read(sample())).toEqual({
      int32: -5,
      int64: -(2 ** 40),
      uint32: 2 ** 32 - 1,
      uint64: 2 ** 53,
      kind: 3,
      fixed32: 0xdeadbeef,
      fixed64: 12345,
      float: Math.fround(0.1),
      double: 0.1,
      bool: true,
      string: 'größe',
      bytes: Uint8Array.of(1, 2, 3),
      maybe: undefined,
      inner,
      floats: [1.5, -2, 4],
      ints: [-1, 300, 0],
      names: ['a', ''],
      inners: [inner, nothing],
    })
  })

  test('an optional zero is there', () => {
    expect(read(write().tag(13, Varint).int32(0).finish()).maybe).toBe(0)
  })

  test('64-bit integers beyond 2^53 are the nearest float64', () => {
    const bytes = write().tag(2, Varint).int64('9223372036854775807').finish()
    expect(read(bytes).int64).toBe(2 ** 63)
  })

  test('fields without a row are passed over, groups too', () => {
    const bytes = write()
      .tag(99, LengthDelimited)
      .string('unknown')
      .tag(98, StartGroup)
      .tag(1, Varint)
      .int32(9)
      .tag(98, EndGroup)
      .tag(1, Varint)
      .int32(2)
      .finish()
    expect(read(bytes)).toEqual({ ...nothing, int32: 2 })
  })

  test('bytes are a view of the file, also of a file inside a larger buffer', () => {
    const whole = new Uint8Array(200)
    whole.set(sample(), 50)
    const file = whole.subarray(50, 50 + sample().length)
    const { bytes } = read(file)
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3))
    expect(bytes.buffer).toBe(whole.buffer)
  })

  test('a table that does not fit its interface is an error of the compiler', () => {
    interface Pair {
      readonly key: string
      readonly values: readonly number[]
    }
    // @ts-expect-error: a property without a row
    const missing: Message<Pair> = message({ key: [1, 'string'] })
    // @ts-expect-error: a number where a string should be
    const wrong: Message<Pair> = message({ key: [1, 'int32'], values: [2, 'int32', 'repeated'] })
    // @ts-expect-error: one value where there are many
    const single: Message<Pair> = message({ key: [1, 'string'], values: [2, 'int32'] })
    expect([missing, wrong, single]).toHaveLength(3)
  })
})

describe('hostile bytes', () => {
  test.each<[string, Uint8Array, string | undefined]>([
    [
      'a length beyond the end',
      Uint8Array.of(0x5a, 0xff, 0xff, 0xff, 0xff, 0x0f),
      'string, byte 0',
    ],
    ['a varint without end', Uint8Array.of(0x08, ...new Array(20).fill(0xff)), 'int32, byte 0'],
    ['half a float', Uint8Array.of(0x45, 0, 0), 'float, byte 0'],
    ['another wire type', Uint8Array.of(0x0d, 0, 0, 0, 0), 'int32, byte 0'],
    ['text that is not UTF-8', Uint8Array.of(0x5a, 2, 0xc3, 0x28), 'string, byte 0'],
    ['a group that does not end', Uint8Array.of(0x93, 0x06, 0x08), 'byte 0'],
    ['field 0', Uint8Array.of(0x08, 1, 0x00), 'byte 2'],
    ['deeper down', Uint8Array.of(0x08, 1, 0x72, 2, 0x5a, 9), 'inner.string, byte 4'],
  ])('%s is refused, with the place', async (_, bytes, where) => {
    const error = await errorOf(() => read(bytes))
    expect(error).toMatchObject({ code: 'bad-file', where })
  })

  test('100 levels are read, 101 are not', async () => {
    const nest = (levels: number): Uint8Array => {
      let bytes: Uint8Array = new Uint8Array(0)
      for (let i = 0; i < levels; i++)
        bytes = write().tag(14, LengthDelimited).bytes(bytes).finish()
      return bytes
    }
    expect(isGruvError(await errorOf(() => read(nest(101))))).toBe(true)
    expect((await errorOf(() => read(nest(5000)))).code).toBe('too-large')
    expect(read(nest(100)).inner).toBeDefined()
  })

  test('a file of empty messages is refused before it fills the memory', async () => {
    const bytes = new Uint8Array(3 * 2 ** 21)
    for (let i = 0; i < bytes.length; i += 3) bytes.set([0x82, 0x7d, 0], i)
    expect((await errorOf(() => read(bytes))).code).toBe('too-large')
  })

  test('cut off anywhere, flipped and shifted 4,000 times: a GruvError or a value', async () => {
    const bytes = sample()
    const cut = await truncateEverywhere(bytes, read)
    expect(cut.refused).toBeGreaterThan(bytes.length / 2)
    expect((await flipBytes(bytes, read, { runs: 2000, seed: 1 })).refused).toBeGreaterThan(100)
    expect((await shiftBytes(bytes, read, { runs: 2000, seed: 2 })).refused).toBeGreaterThan(100)
  })
})
