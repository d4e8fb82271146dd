import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { errorOf } from '../support/errors.ts'
import { anyNames, anyTensors, expectSame } from '../support/tensors.ts'

/** A file with this header, valid or not, and these bytes of tensors. */
function file(header: unknown, body: ArrayLike<number> = [], pad = ''): Uint8Array {
  const json = typeof header === 'string' ? header : JSON.stringify(header)
  const text = new TextEncoder().encode(json + pad)
  const bytes = new Uint8Array(8 + text.length + body.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(body, 8 + text.length)
  return bytes
}

const entry = (dtype: string, shape: readonly number[], begin: number, end: number): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

describe('safetensors', () => {
  test('any tensors and metadata come back', () => {
    const anyMetadata = fc.dictionary(anyNames(), fc.string({ unit: 'grapheme' }))
    fc.assert(
      fc.property(anyTensors(), anyMetadata, (tensors, metadata) => {
        if ('__metadata__' in tensors) return
        const bytes = writeSafetensors({ metadata, tensors })
        const back = readSafetensors(bytes)
        expect({ ...back.metadata }).toEqual({ ...metadata })
        expect(Object.keys(back.tensors).sort()).toEqual(Object.keys(tensors).sort())
        for (const name of Object.keys(tensors)) expectSame(back.tensors[name], tensors[name])
        expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0)
      }),
    )
  })

  test('the file that the specification describes, byte for byte', () => {
    const tensors = {
      b: { shape: [2], data: Float32Array.of(1, -2) },
      a: { shape: [1, 1], data: Float32Array.of(0.5) },
      z: { shape: [], data: Float64Array.of(4) },
    }
    const header =
      '{"__metadata__":{"format":"pt"},"z":{"dtype":"F64","shape":[],"data_offsets":[0,8]},' +
      '"a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},' +
      '"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}'
    const body = [0, 0, 0, 0, 0, 0, 0x10, 0x40, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
    const padding = ' '.repeat((8 - (header.length % 8)) % 8)
    const written = writeSafetensors({ metadata: { format: 'pt' }, tensors })
    expect(written).toEqual(file(header, body, padding))
  })

  test('every order of tensors gives the same file', () => {
    const x = { shape: [1], data: Float32Array.of(1) }
    const y = { shape: [1], data: Float64Array.of(2) }
    expect(writeSafetensors({ tensors: { '10': x, y, x } })).toEqual(
      writeSafetensors({ tensors: { x, y, '10': x } }),
    )
  })

  test.each([
    ['BOOL', [0, 1, 2], [0, 1, 1], 'bool'],
    ['U8', [255], [255], 'uint8'],
    ['I8', [255], [-1], 'int8'],
    ['U16', [1, 2], [513], 'uint16'],
    ['I16', [254, 255], [-2], 'int16'],
    ['U32', [0, 0, 0, 128], [2 ** 31], 'uint32'],
    ['I32', [0, 0, 0, 128], [-(2 ** 31)], 'int32'],
    ['U64', [1, 0, 0, 0, 1, 0, 0, 0], [2 ** 32 + 1], 'uint64'],
    ['I64', Array(8).fill(255), [-1], 'int64'],
    ['F16', [0x00, 0x3c, 0x01, 0x00], [1, 2 ** -24], 'float16'],
    ['BF16', [0x80, 0x3f, 0xc0, 0xff], [1, Number.NaN], 'bfloat16'],
    ['F32', [0, 0, 128, 63], [1], 'float32'],
    ['F64', [0, 0, 0, 0, 0, 0, 240, 63], [1], 'float64'],
  ])('%s', (dtype, body, values, name) => {
    const bytes = file({ x: entry(dtype, [values.length], 0, body.length) }, body)
    const { x } = readSafetensors(bytes).tensors
    expect([[...x.data], x.dtype]).toEqual([values, name])
    expect(x.data).toBeInstanceOf(
      name.includes('oat') && name !== 'float64' ? Float32Array : Float64Array,
    )
  })

  test('tensors without numbers lie between others', () => {
    const header = {
      a: entry('F32', [1], 0, 4),
      e: entry('F32', [2, 0], 4, 4),
      b: entry('U8', [1], 4, 5),
    }
    const { tensors } = readSafetensors(file(header, [0, 0, 0, 0, 7]))
    expect(Object.keys(tensors)).toEqual(['a', 'e', 'b'])
    expect(tensors.e).toEqual({ shape: [2, 0], data: new Float32Array(0), dtype: 'float32' })
  })

  test('a tensor cannot be called __metadata__, nor one be written whose data does not fit', async () => {
    const x = { shape: [1], data: Float32Array.of(1) }
    const reserved = await errorOf(() => writeSafetensors({ tensors: { __metadata__: x } }))
    expect(reserved.code).toBe('bad-argument')
    const wrong = await errorOf(() => writeSafetensors({ tensors: { x: { ...x, shape: [2] } } }))
    expect([wrong.code, wrong.where]).toEqual(['bad-shape', '"x"'])
  })
})

describe('files that break a rule of the format', () => {
  const four = [0, 0, 0, 0]
  const f32 = (begin: number, end: number): unknown => entry('F32', [(end - begin) / 4], begin, end)
  const huge = new Uint8Array(16).fill(0xff)

  test.each([
    ['nothing', new Uint8Array(0), /too short/],
    ['seven bytes', new Uint8Array(7), /too short/],
    ['a header longer than the file', huge, /does not fit the file/],
    ['a header of nothing', new Uint8Array(8), /an opening brace/],
    ['no brace at first', file(' {}'), /an opening brace/],
    ['no JSON', file('{"a"'), /not JSON/],
    ['no UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff), /not UTF-8/],
    [
      'a name twice',
      file(`{"a":${JSON.stringify(f32(0, 4))},"a":${JSON.stringify(f32(4, 8))}}`, [
        ...four,
        ...four,
      ]),
      /side by side/,
    ],
    ['something behind the header', file('{}x'), /not JSON/],
    ['bytes of no tensor', file({}, [1]), /does not end where/],
    ['a hole', file({ a: f32(0, 4), b: f32(8, 12) }, Array(12).fill(0)), /side by side/],
    ['a hole at the front', file({ a: f32(4, 8) }, Array(8).fill(0)), /side by side/],
    ['an overlap', file({ a: f32(0, 8), b: f32(4, 12) }, Array(12).fill(0)), /side by side/],
    ['the same bytes twice', file({ a: f32(0, 4), b: f32(0, 4) }, four), /side by side/],
    ['an end beyond the file', file({ a: f32(0, 8) }, four), /side by side/],
    ['a tensor that is no object', file({ a: [1] }), /expected an object/],
    ['null for a tensor', file({ a: null }), /expected an object/],
    [
      'a shape that does not fit',
      file({ a: entry('F32', [2], 0, 4) }, four),
      /8 bytes for \[2\] of F32/,
    ],
    [
      'a shape of 2^64',
      file({ a: entry('F32', [2 ** 32, 2 ** 32], 0, 4) }, four),
      /does not fit the bytes/,
    ],
    ['a negative extent', file({ a: entry('F32', [-1], 0, 4) }, four), /"a": shape/],
    ['an extent with a fraction', file({ a: entry('F32', [0.5], 0, 2) }, [0, 0]), /"a": shape/],
    ['65 axes', file({ a: entry('F32', Array(65).fill(1), 0, 4) }, four), /"a": shape/],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, four), /"a": shape.*nothing/],
    [
      'one offset',
      file({ a: { dtype: 'F32', shape: [], data_offsets: [0] } }, four),
      /data_offsets/,
    ],
    [
      'offsets the other way round',
      file({ a: entry('F32', [1], 4, 0) }, four),
      /does not fit the bytes/,
    ],
    ['a negative offset', file({ a: entry('F32', [1], -4, 0) }, four), /data_offsets/],
    [
      'a dtype that is no text',
      file({ a: { dtype: 1, shape: [], data_offsets: [0, 4] } }, four),
      /dtype/,
    ],
    ['metadata that is no object', file({ __metadata__: 'x' }), /object of strings/],
    ['metadata that is no text', file({ __metadata__: { format: 1 } }), /"format".*a string/],
    ['100 levels', file(`{"a":${'['.repeat(99)}${']'.repeat(99)}}`), /at most 64 levels/],
  ])('%s', async (_, bytes, message) => {
    const error = await errorOf(() => readSafetensors(bytes))
    expect(['bad-file', 'too-large']).toContain(error.code)
    expect(error.message).toMatch(message)
    expect(error.where).toBeDefined()
    expect(error.message.length).toBeLessThan(400)
  })

  test.each(['F8_E4M3', 'F8_E5M2', 'F4', 'C64', 'X'])('%s is refused by name', async (dtype) => {
    const error = await errorOf(() => readSafetensors(file({ a: entry(dtype, [4], 0, 4) }, four)))
    expect([error.code, error.where, error.got]).toEqual([
      'unsupported',
      '"a": dtype',
      `"${dtype}"`,
    ])
  })

  test('a header of more than 100 MB', async () => {
    const bytes = new Uint8Array(100_000_100)
    new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true)
    expect((await errorOf(() => readSafetensors(bytes))).code).toBe('too-large')
  })
})
