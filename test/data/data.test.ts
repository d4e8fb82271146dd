import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeZip } from '../../src/bytes/zip/write.ts'
import { parseRow, readData, writeData } from '../../src/data/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { anyTensor, anyTensors, expectSame, inPrecisionOf } from '../support/tensors.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const vector: Tensor = { shape: [2], data: Float32Array.of(0.1, 2) }

describe('readData', () => {
  test.each([
    ['x.csv', '1,2\n3,4', 'csv'],
    ['x.CSV', '1;2\n3;4', 'csv'],
    ['folder.v1/x.tsv', '1\t2\n3\t4', 'tsv'],
    ['x.txt', '1 2\n3 4', 'text'],
    ['x.dat', '1,2\n3,4', 'text'],
    ['x.json', '[[1,2],[3,4]]', 'json'],
    ['x.jsonl', '[1,2]\n[3,4]', 'jsonl'],
    ['x.ndjson', '[1,2]\n[3,4]', 'jsonl'],
    ['x', '1,2\n3,4', 'csv'],
    ['x', 'a;b\n1;2\n3;4', 'csv'],
    ['x', '1\t2\n3\t4', 'tsv'],
    ['x', '# comment\n1 2\n3 4', 'text'],
    ['x', '[[1,2],[3,4]]', 'json'],
    ['x', '[\n[1,2],\n[3,4]\n]', 'json'],
    ['x', '{"data": [[1,2],[3,4]]}', 'json'],
    ['x', '[1,2]\n[3,4]', 'jsonl'],
    ['.csv', '1,2\n3,4', 'csv'],
  ])('%s, %j', async (name, text, format) => {
    const file = await readData(bytes(text), name)
    expect(file.format).toBe(format)
    expect(file.tensors.data.shape).toEqual([2, 2])
    expect([...file.tensors.data.data]).toEqual([1, 2, 3, 4])
  })

  test('the names of columns come along', async () => {
    expect((await readData(bytes('a,b\n1,2'), 'x.csv')).columns).toEqual(['a', 'b'])
    expect(await readData(bytes('1,2'), 'x.csv')).not.toHaveProperty('columns')
  })

  test.each([
    ['utf-16le', [0xff, 0xfe]],
    ['utf-16be', [0xfe, 0xff]],
  ])('%s with a byte order mark, as Windows writes it', async (encoding, mark) => {
    const units = Array.from('1,2\r\n3,4\r\n', (c) => [c.charCodeAt(0), 0])
    const body = units.flatMap((unit) => (encoding === 'utf-16le' ? unit : unit.reverse()))
    const { tensors } = await readData(Uint8Array.from([...mark, ...body]), 'x.csv')
    expect([...tensors.data.data]).toEqual([1, 2, 3, 4])
  })

  test.each([
    ['HDF5', [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['a Python pickle', [0x80, 0x04, 0x95]],
    ['compressed with gzip', [0x1f, 0x8b, 0x08]],
    ['a PNG picture', [0x89, 0x50, 0x4e, 0x47]],
    ['Parquet', [0x50, 0x41, 0x52, 0x31]],
    ['a MATLAB file', [...bytes('MATLAB 5.0 MAT-file, Platform: GLNXA64')]],
    ['a web page (HTML)', [...bytes('<!-- 404 -->\n<!DOCTYPE html>\n<p>404</p>\n')]],
    ['a TensorFlow Lite model (.tflite): a model', [0x1c, 0, 0, 0, ...bytes('TFL3')]],
    ['a pointer of Git LFS', [...bytes('version https://git-lfs.github.com/spec/v1\n')]],
    ['a safetensors file', [2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]],
  ])('says that it is %s, whatever the name', async (what, magic) => {
    const error = await errorOf(() => readData(Uint8Array.from([...magic, 0, 0, 0]), 'x.npy'))
    expect(error.code).toBe('unsupported')
    expect(error.problem).toContain(what)
    expect(error.expected).toMatch(/\.npy \.npz \.csv/)
  })

  test('a zip archive of something else', async () => {
    const xlsx = await writeZip([{ name: 'xl/workbook.xml', bytes: bytes('<x/>') }])
    const error = await errorOf(() => readData(xlsx, 'x.xlsx'))
    expect([error.code, error.got]).toEqual(['unsupported', '"xl/workbook.xml"'])
  })

  test.each([
    ['nothing', 'x.csv', [], 'the file is empty'],
    [
      'an archive of nothing',
      'x.npz',
      [0x50, 0x4b, 5, 6, ...Array(18).fill(0)],
      'the archive is empty',
    ],
    ['text in an .npy', 'x.npy', [...bytes('1,2')], 'this is no .npy file'],
    ['text in an .npz', 'x.npz', [...bytes('1,2')], 'the zip archive is damaged'],
    ['zeros', 'x.csv', Array(100).fill(0), 'this is not text'],
    ['no UTF-8', 'x.csv', [0x31, 0x2c, 0xff, 0xfe], 'this is not text'],
    ['half a character at the end', 'x.csv', [0x31, 0x0a, 0xe2, 0x82], 'this is not text'],
    ['words', 'x', [...bytes('hello world')], 'the table has no rows'],
  ])('%s: a clear error', async (_, name, content, problem) => {
    const error = await errorOf(() => readData(Uint8Array.from(content), name))
    expect([error.code, error.problem]).toEqual(['bad-file', problem])
  })

  test('bytes that are no UTF-8 are named by their place', async () => {
    const text = bytes('é'.repeat(1000))
    text[1235] = 0xff
    const error = await errorOf(() => readData(text, 'x.txt'))
    expect([error.where, error.expected]).toEqual(['byte 1235', 'UTF-8'])
  })
})

describe('writeData', () => {
  test.each(['npy', 'json'])('.%s holds one array of any shape', async (ending) => {
    await fc.assert(
      fc.asyncProperty(anyTensor(), async (data) => {
        const file = await readData(await writeData({ data }, `x.${ending}`), `x.${ending}`)
        expect(file.format).toBe(ending)
        expectSame(inPrecisionOf(data, file.tensors.data), data)
      }),
    )
  })

  test.each(['csv', 'tsv', 'txt', 'dat', 'jsonl', 'ndjson'])('.%s holds rows', async (ending) => {
    await fc.assert(
      fc.asyncProperty(anyTensor({ minAxes: 2, maxAxes: 2, minExtent: 1 }), async (y) => {
        const { tensors } = await readData(await writeData({ y }, `x.${ending}`), `x.${ending}`)
        expectSame(inPrecisionOf(y, tensors.data), y)
      }),
    )
  })

  test.each(['npz', 'json'])('.%s holds several arrays by name', async (ending) => {
    await fc.assert(
      fc.asyncProperty(anyTensors(), async (tensors) => {
        if (Object.keys(tensors).length === 0) return
        const file = await readData(await writeData(tensors, `x.${ending}`), `x.${ending}`)
        expect(Object.keys(file.tensors).sort()).toEqual(Object.keys(tensors).sort())
        for (const name of Object.keys(tensors)) {
          expectSame(inPrecisionOf(tensors[name], file.tensors[name]), tensors[name])
        }
      }),
      { numRuns: 50 },
    )
  })

  test.each(['npy', 'csv', 'tsv', 'txt', 'jsonl'])('.%s refuses two arrays', async (ending) => {
    const two: Named<Tensor> = { a: vector, b: vector }
    const error = await errorOf(() => writeData(two, `x.${ending}`))
    expect(error).toMatchObject({ code: 'bad-argument', got: 'a, b' })
    expect(error.fix).toMatch(/\.npz or \.json/)
    expect((await errorOf(() => writeData({}, `x.${ending}`))).got).toBe('none')
  })

  test.each(['csv', 'tsv', 'txt'])(
    '.%s refuses three axes, saying what holds them',
    async (ending) => {
      const cube = { shape: [1, 2, 1], data: Float32Array.of(1, 2) }
      const error = await errorOf(() => writeData({ cube }, `x.${ending}`))
      expect(error).toMatchObject({ code: 'bad-shape', got: '[1, 2, 1]' })
      expect(error.fix).toMatch(/\.npy or \.json/)
    },
  )

  test.each(['x.h5', 'x', 'x.', 'folder.csv/x', 'x.constructor'])(
    '%s: lists the endings',
    async (name) => {
      const error = await errorOf(() => writeData({ vector }, name))
      expect(error).toMatchObject({ code: 'bad-argument', got: name })
      expect(error.expected).toMatch(/\.npy \.npz \.csv .*\.jsonl/)
    },
  )
})

describe('parseRow', () => {
  test.each([
    ['1,2', [1, 2]],
    [' [1, null, "Infinity"] ', [1, Number.NaN, 1 / 0]],
    ['[]', []],
    ['# [1]', null],
    ['', null],
  ])('%j', (line, row) => expect(parseRow(line)).toEqual(row))

  test.each([
    ['[[1]]', 'bad-shape', 'line 3'],
    ['[1,', 'bad-file', 'line 3: column 4'],
    ['[1,"x"]', 'bad-shape', 'line 3: [1]'],
    ['1,x', 'bad-file', 'line 3, column 2'],
  ])('%j is refused with its place', async (line, code, where) => {
    const error = await errorOf(() => parseRow(line, { where: 'line 3' }))
    expect(error.code).toBe(code)
    expect(error.where).toMatch(where)
  })
})
