import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJson, readJsonLine, readJsonLines } from '../../src/bytes/json/tensors.ts'
import { parseJson } from '../../src/bytes/json/text.ts'
import { writeJson, writeJsonLines } from '../../src/bytes/json/write.ts'
import type { Tensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { anyTensor, anyTensors, expectSame, inPrecisionOf } from '../support/tensors.ts'

const plain = ({ shape, data }: Tensor): unknown => [shape, [...data]]

describe('readJson', () => {
  test.each([
    ['nested arrays', '[[1,2],[3,4],[5,6]]', [3, 2], [1, 2, 3, 4, 5, 6]],
    ['a shape and its data', '{"shape":[2,1],"data":[1,2]}', [2, 1], [1, 2]],
    ['a number', '2.5', [], [2.5]],
    ['an empty array', '[]', [0], []],
    ['empty rows', '[[],[]]', [2, 0], []],
    ['null', '[1,null]', [2], [1, Number.NaN]],
    [
      'words for what JSON lacks',
      '["NaN","Infinity","-Infinity"]',
      [3],
      [Number.NaN, 1 / 0, -1 / 0],
    ],
    ['what Python writes for them', '[NaN, Infinity, -Infinity]', [3], [Number.NaN, 1 / 0, -1 / 0]],
    ['a negative zero', '[-0.0]', [1], [-0]],
  ])('%s', (_, text, shape, data) => {
    expect(plain(readJson(text).data)).toEqual([shape, data])
  })

  test('an object of arrays, by name', () => {
    const tensors = readJson('{"w": [[1]], "b": {"shape": [0, 2], "data": []}, "__proto__": [3]}')
    expect(Object.keys(tensors)).toEqual(['w', 'b', '__proto__'])
    expect(Object.values(tensors).map(plain)).toEqual([
      [[1, 1], [1]],
      [[0, 2], []],
      [[1], [3]],
    ])
  })

  test('each array has the digits that it was printed with itself, without those of its shape', () => {
    const { x, y, z } = readJson(
      '{"x": [0.125, 1e-4], "y": {"shape": [1, 1, 1], "data": [25]}, "z": [NaN]}',
    )
    expect(x).toMatchObject({ dtype: 'text', printed: { decimals: 4, significant: 3 } })
    expect(y.printed).toEqual({ decimals: 0, significant: 2 })
    expect(z.printed).toEqual({ decimals: 0, significant: 0 })
    const oneHundred = `{"shape": [100], "data": [${Array(100).fill(0.5)}]}`
    expect(readJson(oneHundred).data.printed).toEqual({ decimals: 1, significant: 1 })
    expect(readJson('[1.50]').data.printed).toEqual({ decimals: 2, significant: 3 })
  })

  test.each([
    ['a shorter row', '[[1,2],[3]]', '[1]', 'an array of 2', 'an array of 1'],
    ['a number for a row', '[[[1],[2]],[[3],4]]', '[1][1]', 'an array of 1', '4'],
    ['a row for a number', '{"x": [1, [2]]}', 'x[1]', 'a number', 'an array of 1'],
    ['a word', '{"x": [1, "two"]}', 'x[1]', 'a number', '"two"'],
    ['an object', '[[1], [{}]]', '[1][0]', 'a number', 'an object'],
    ['a truth', '[true]', '[0]', 'a number', 'true'],
    ['metadata beside arrays', '{"x": [1], "name": "gru"}', 'name', 'a number', '"gru"'],
    [
      'an array within data',
      '{"shape": [1], "data": [[1]]}',
      '.data[0]',
      'a number',
      'an array of 1',
    ],
    ['too little data', '{"w": {"shape": [2, 3], "data": [1]}}', 'w', '6 numbers for [2, 3]', '1'],
  ])('%s is refused with its path', async (_, text, where, expected, got) => {
    expect(await errorOf(() => readJson(text))).toMatchObject({
      code: 'bad-shape',
      where,
      expected,
      got,
    })
  })

  test('a million rows that claim to be as long as the first take no memory for it', async () => {
    const text = `[[${'1,'.repeat(9999)}1],${'[],'.repeat(1_000_000)}[]]`
    const error = await errorOf(() => readJson(text))
    expect([error.where, error.expected]).toEqual(['[1]', 'an array of 10000'])
  })

  test.each([
    ['a million brackets', '['.repeat(1_000_000)],
    ['a million braces', '{"a":'.repeat(1_000_000)],
    ['65 levels, closed', '['.repeat(65) + ']'.repeat(65)],
  ])('%s: too deep, with the place', async (_, text) => {
    const error = await errorOf(() => readJson(text))
    expect(error).toMatchObject({ code: 'too-large', expected: 'at most 64 levels' })
    expect(error.where).toMatch(/^column \d+$/)
  })

  test.each([
    ['nothing', ''],
    ['half', '[1, 2'],
    ['a word', 'hello'],
    ['a trailing comma', '[1,]'],
    ['two values', '[1] [2]'],
    ['a number of Python’s', '[1_000]'],
    ['a string without an end', '{"a'],
    ['a backslash at the end', '{"a\\'],
    ['a key twice', '{"a": [1], "a": [2]}'],
    ['a key twice, the second time in escapes', '{"a": [1], "\\u0061": [2]}'],
    ['a key twice within', '{"a": {"shape": [1], "shape": [1], "data": [1]}}'],
    ['an empty object', '{}'],
    ['brackets that do not match', '[1}'],
    ['closing brackets', ']]]'],
  ])('%s is no JSON of arrays', async (_, text) => {
    expect((await errorOf(() => readJson(text))).code).toBe('bad-file')
  })

  test.each([
    ['[1,\n  2,,3]', 'line 2, column 5', 'a value', '",3]"'],
    ['[1 2]', 'column 4', 'a comma or a closing bracket', '"2]"'],
    ['{"a": 01}', 'column 7', 'a value', '"01}"'],
    ['{"a" 1}', 'column 6', 'a colon', '"1}"'],
    ['{a: 1}', 'column 2', 'a key in quotes or a closing bracket', '"a: 1}"'],
    ['[1, 2', 'column 6', 'a comma or a closing bracket', 'the end'],
    ['["\\x"]', 'column 2', 'a value or a closing bracket', '"\\"\\\\x\\"]"'],
    ['[1]]', 'column 4', 'the end', '"]"'],
    ['[nan]', 'column 2', 'a value or a closing bracket', '"nan]"'],
  ])('%s: says where, what was expected and what came', async (text, where, expected, got) => {
    expect(await errorOf(() => readJson(text))).toMatchObject({ where, expected, got })
  })
})

describe('parseJson', () => {
  test('agrees with JSON.parse on any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('agrees with JSON.parse on what is nearly JSON', () => {
    const pieces = [
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      '1',
      '-',
      '.5',
      'e3',
      'null',
      ' ',
      '"a"',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join('')
        const outcome = (parse: () => unknown): unknown => {
          try {
            return ['value', parse()]
          } catch {
            return 'error'
          }
        }
        if (/"a".*"a"/.test(text)) return // keys that come twice are refused
        expect(outcome(() => parseJson(text))).toEqual(outcome(() => JSON.parse(text)))
      }),
      { numRuns: 5000 },
    )
  })

  test('finds the numbers and the keys above them, and none in strings', () => {
    const text = '{"a": [1, {"b\\"1": -2.5e3}], "c": "7 NaN", "d": {"shape": [4]}, "e": [[5], 6]}'
    const found: string[] = []
    parseJson(text, (from, to, keys) => found.push(`${text.slice(from, to)} ${keys.join('/')}`))
    expect(found).toEqual(['1 a', '-2.5e3 a/b"1', '4 d/shape', '5 e', '6 e'])
  })

  test('words in strings stay what they are', () => {
    expect(parseJson('["NaN", "-Infinity", NaN, "a NaN"]')).toEqual([
      'NaN',
      '-Infinity',
      null,
      'a NaN',
    ])
  })
})

describe('JSONL', () => {
  test.each([
    ['rows', '[1,2]\n[3,4]\n', [2, 2], [1, 2, 3, 4]],
    ['numbers', '1\n2.5\nnull\n', [3], [1, 2.5, Number.NaN]],
    ['blank lines and CR LF', '[1]\r\n\r\n[2]', [2, 1], [1, 2]],
    ['matrices', '[[1,2]]\n[[3,4]]', [2, 1, 2], [1, 2, 3, 4]],
  ])('%s', (_, text, shape, data) => {
    expect(plain(readJsonLines(text))).toEqual([shape, data])
  })

  test('the digits are those of the whole', () => {
    expect(readJsonLines('[0.5]\n[0.25]').printed).toEqual({ decimals: 2, significant: 2 })
    expect(readJsonLine('[0.5, 10]').printed).toEqual({ decimals: 1, significant: 2 })
  })

  test.each([
    ['a shorter line', '[1,2]\n\n[3]', 'bad-shape', 'line 3'],
    ['no JSON', '[1]\n[2', 'bad-file', 'line 2: column 3'],
    ['an object', '[1]\n{"x": 2}', 'bad-shape', 'line 2'],
    ['a word in a row', '[1]\n["x"]', 'bad-shape', 'line 2: [0]'],
  ])('%s is refused with its line', async (_, text, code, where) => {
    const error = await errorOf(() => readJsonLines(text))
    expect(error.code).toBe(code)
    expect(error.where).toMatch(where)
  })

  test('only blank lines', async () => {
    expect((await errorOf(() => readJsonLines('\n\n'))).code).toBe('bad-file')
  })
})

describe('what is written reads back', () => {
  test('any arrays of any name', () => {
    fc.assert(
      fc.property(anyTensors(), (tensors) => {
        if (Object.keys(tensors).length === 0) return
        const back = readJson(writeJson(tensors))
        expect(Object.keys(back).sort()).toEqual(Object.keys(tensors).sort())
        for (const name of Object.keys(tensors)) {
          expectSame(inPrecisionOf(tensors[name], back[name]), tensors[name])
        }
        expect(() => JSON.parse(writeJson(tensors))).not.toThrow()
      }),
    )
  })

  test('a tensor as lines', () => {
    fc.assert(
      fc.property(anyTensor({ minAxes: 1, minExtent: 0 }), (tensor) => {
        if (tensor.shape[0] === 0) return
        expectSame(inPrecisionOf(tensor, readJsonLines(writeJsonLines(tensor))), tensor)
      }),
    )
  })

  test('readable, and with no digit too many', () => {
    const y = { shape: [2, 2], data: Float32Array.of(0.1, Number.NaN, 1 / 0, -2) }
    expect(writeJson({ data: y })).toBe('[[0.1, null],\n ["Infinity", -2]]\n')
    expect(writeJson({ y })).toBe('{\n"y": [[0.1, null],\n ["Infinity", -2]]\n}\n')
    expect(writeJsonLines(y)).toBe('[0.1, null]\n["Infinity", -2]\n')
  })

  test.each([[[]], [[0, 2]]])('shape %j gives no lines', async (shape) => {
    const data = new Float32Array(shape.length === 0 ? 1 : 0)
    expect((await errorOf(() => writeJsonLines({ shape, data }))).code).toBe('bad-shape')
  })
})
