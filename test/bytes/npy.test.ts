import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNpy, writeNpy } from '../../src/bytes/numpy/npy.ts'
import { errorOf } from '../support/errors.ts'
import { fixture } from '../support/fixtures.ts'
import { anyTensor, expectSame } from '../support/tensors.ts'

/** A file with this header, valid or not, and as many bytes of data. */
function file(header: string, dataBytes = 0, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header)
  const start = version === 1 ? 10 : 12
  const bytes = new Uint8Array(start + text.length + dataBytes)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
  const view = new DataView(bytes.buffer)
  if (version === 1) view.setUint16(8, text.length, true)
  else view.setUint32(8, text.length, true)
  bytes.set(text, start)
  return bytes
}

const header = (shape: string, descr = "'<f4'"): string =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`

describe('writeNpy', () => {
  test.each(['cube', 'f4-little', 'f8-little', 'scalar', 'empty', 'empty-inside', 'special-f8'])(
    '%s: the very bytes that numpy.save wrote',
    (name) => {
      const bytes = fixture(`data/${name}.npy`)
      expect(writeNpy(readNpy(bytes))).toEqual(bytes)
    },
  )

  test('what it writes reads back bit for bit, any shape and value', () => {
    fc.assert(
      fc.property(anyTensor(), (tensor) => {
        const bytes = writeNpy(tensor)
        const back = readNpy(bytes)
        expectSame(back, tensor)
        expect(back.data.constructor).toBe(tensor.data.constructor)
        expect((bytes.length - tensor.data.byteLength) % 64).toBe(0)
      }),
    )
  })

  test('a view into a larger buffer is written as what it shows', () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3)
    expect([...readNpy(writeNpy({ shape: [2], data })).data]).toEqual([2, 3])
  })

  test('data that does not fill the shape is refused', async () => {
    const wrong = { shape: [2, 3], data: new Float32Array(5) }
    expect((await errorOf(() => writeNpy(wrong))).code).toBe('bad-shape')
  })
})

describe('headers that Python reads, and so do we', () => {
  test.each([
    ['any order of keys', "{'shape': (2,), 'descr': '<f4', 'fortran_order': False}"],
    ['double quotes', '{"descr": "<f4", "fortran_order": False, "shape": (2,)}'],
    ['no blanks', "{'descr':'<f4','fortran_order':False,'shape':(2,)}"],
    ['padding', `${header('(2,)')}      \n`],
    ['long integers of Python 2', header('(2L,)')],
    ['native byte order', header('(2,)', "'=f4'")],
    ['brackets around a value', header('((2),)')],
    ['a matrix', header('(2, 1)')],
  ])('%s', (_, text) => {
    expect(readNpy(file(text, 8)).data).toEqual(new Float32Array(2))
  })

  test.each([2, 3])('version %i has four bytes of length', (version) => {
    expect(readNpy(file(header('(2,)'), 8, version)).shape).toEqual([2])
  })

  test('the bytes may lie anywhere in a larger buffer', () => {
    const bytes = writeNpy({ shape: [2], data: Float64Array.of(1, 2) })
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect([...readNpy(shifted.subarray(3)).data]).toEqual([1, 2])
    expect([...readNpy(Buffer.from(shifted).subarray(3)).data]).toEqual([1, 2])
  })

  test('64-bit integers beyond 2^53 become the nearest float64', () => {
    const bytes = file(header('(1,)', "'<u8'"), 8)
    bytes.fill(0xff, -8)
    expect(readNpy(bytes)).toEqual({ shape: [1], data: Float64Array.of(2 ** 64), dtype: 'uint64' })
  })
})

describe('files that lie', () => {
  const deep = `${'('.repeat(100_000)}`
  test.each([
    ['a larger shape than bytes', file(header('(3,)'), 8), 'bad-file', /expected 12 bytes.*got 8/],
    ['bytes after the array', file(header('(1,)'), 8), 'bad-file', /expected 4 bytes.*got 8/],
    ['a shape of 2^60 numbers', file(header(`(${2 ** 30}, ${2 ** 30})`), 8), 'bad-file', /got 8/],
    [
      'a shape beyond float64',
      file(header(`(${`${2 ** 52}, `.repeat(60)})`), 8),
      'bad-file',
      /got 8/,
    ],
    [
      'infinitely many times nothing',
      file(header(`(${`${2 ** 52}, `.repeat(60)}0)`)),
      'bad-file',
      /got 0/,
    ],
    ['a negative extent', file(header('(-1,)')), 'bad-file', /0 or more/],
    ['an extent that is no integer', file(header("('3',)")), 'bad-file', /0 or more/],
    ['an extent of True', file(header('(True,)')), 'bad-file', /0 or more/],
    ['an extent no float64 can hold', file(header('(9007199254740993,)')), 'bad-file', /literal/],
    ['65 axes', file(header(`(${'1, '.repeat(65)})`), 4), 'bad-file', /at most 64 axes/],
    ['a shape that is no tuple', file(header('[3]')), 'bad-file', /shape as a tuple/],
    ['a shape in brackets', file(header('(3)')), 'bad-file', /shape as a tuple/],
    ['a key missing', file("{'descr': '<f4', 'shape': (3,)}"), 'bad-file', /a dict with/],
    ['a key too many', file(`${header('(3,)').slice(0, -1)} 'x': 1}`), 'bad-file', /a dict with/],
    ['a key twice', file(`${header('(3,)').slice(0, -1)} 'shape': ()}`), 'bad-file', /only once/],
    ['no dict', file('(1, 2)'), 'bad-file', /a dict with/],
    ['code', file('__import__("os")'), 'bad-file', /a Python literal/],
    ['something after the dict', file(`${header('(3,)')} + 1`), 'bad-file', /the end/],
    ['a string without an end', file("{'descr': '<f4"), 'bad-file', /a closing '/],
    ['an escape that NumPy never writes', file("{'\\x41': 1}"), 'bad-file', /escaped/],
    ['100,000 brackets', file(deep, 0, 2), 'too-large', /at most 65535/],
    ['1,000 brackets', file(deep.slice(0, 1000)), 'bad-file', /16 levels/],
    ['an unknown dtype', file(header('(1,)', "'<q8'")), 'bad-file', /"<q8"/],
    [
      'a property of every object as dtype',
      file(header('(1,)', "'constructor'")),
      'bad-file',
      /cons/,
    ],
    ['version 4', file(header('(1,)'), 4, 4), 'unsupported', /got 4\.0/],
    ['another magic', new Uint8Array(64), 'bad-file', /x93NUMPY, got 00 00/],
  ] as const)('%s', async (_, bytes, code, message) => {
    const error = await errorOf(() => readNpy(bytes))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.where).toBeDefined()
    expect(error.message.length).toBeLessThan(400)
  })
})

describe('arrays that hold no real numbers are refused by name', () => {
  test.each([
    ['objects', /Python objects/],
    ['text', /text/],
    ['bytes', /byte strings/],
    ['complex', /complex numbers/],
    ['dates', /dates/],
    ['spans', /time spans/],
    ['records', /records/],
    ['raw', /raw bytes/],
  ])('%s', async (name, message) => {
    const error = await errorOf(() => readNpy(fixture(`data/refused-${name}.npy`)))
    expect(error.code).toBe('unsupported')
    expect(error.got).toMatch(message)
    expect(error.fix).toBeDefined()
  })

  test('long double', async () => {
    const error = await errorOf(() => readNpy(file(header('(1,)', "'<f16'"), 16)))
    expect(error.got).toMatch(/long double/)
  })
})
