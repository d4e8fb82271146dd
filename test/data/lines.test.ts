/** Rows that arrive line by line, and missing values. */

import { describe, expect, it } from 'vitest'
import { fillMissing, MissingValues, RowReader, readData } from '../../src/data/index.ts'
import { errorOf } from '../support/errors.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('RowReader', () => {
  it('takes the width of the first row where none is given', async () => {
    const reader = new RowReader()
    expect(reader.next('a b', 'line 1')).toBeNull()
    expect(reader.next('1 2', 'line 2')).toEqual([1, 2])
    expect(reader.names).toEqual(['a', 'b'])
    const error = await errorOf(async () => reader.next('1 2 3', 'line 3'))
    expect([error.where, error.got]).toEqual(['line 3', '3'])
    expect(reader.next('3 4', 'line 4')).toEqual([3, 4])
  })

  it('an object may have texts for numbers that JSON lacks', () => {
    const reader = new RowReader(3)
    expect(reader.next('{"a":"NaN","b":"-Infinity","c":null}', 'line 1')).toEqual([
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ])
  })
})

describe('readData', () => {
  it('objects in .jsonl, with their names and lines', async () => {
    const text = '{"at":"x","a":1,"b":2}\n\n{"b":4,"a":3,"at":"y"}\n'
    for (const name of ['x.jsonl', 'x']) {
      const { tensors, columns, leftOut, lines } = await readData(bytes(text), name)
      expect([tensors.data.shape, [...tensors.data.data]]).toEqual([
        [2, 2],
        [1, 2, 3, 4],
      ])
      expect([columns, leftOut]).toEqual([['a', 'b'], ['at']])
      expect(lines).toEqual([
        { row: 0, line: 1 },
        { row: 1, line: 3 },
      ])
    }
  })
})

describe('fillMissing', () => {
  const batch = {
    shape: [2, 2, 2],
    data: Float64Array.of(1, 2, Number.NaN, 3, 4, 5, 6, Number.NaN),
  }

  it('each sequence of a batch holds values of its own', async () => {
    const { tensor, gaps } = fillMissing(batch, 'hold')
    expect([...tensor.data]).toEqual([1, 2, 1, 3, 4, 5, 6, 5])
    expect(gaps.map(({ where }) => where)).toEqual([
      'sequence 1, row 2, column 1',
      'sequence 2, row 2, column 2',
    ])
    const first = { shape: [2, 1, 1], data: Float64Array.of(1, Number.NaN) }
    const error = await errorOf(async () => fillMissing(first, 'hold'))
    expect(error.where).toBe('sequence 2, row 1, column 1')
  })

  it('masks rows of a batch, and drops none', async () => {
    const { mask, tensor } = fillMissing(batch, 'mask')
    expect([mask?.shape, [...(mask?.data ?? [])]]).toEqual([
      [2, 2],
      [1, 0, 1, 0],
    ])
    expect(tensor.data.some(Number.isNaN)).toBe(false)
    const error = await errorOf(async () => fillMissing(batch, 'drop'))
    expect(error.code).toBe('bad-argument')
  })

  it('holds what was held', () => {
    const values = new MissingValues('hold')
    const rows = [
      [1, 2],
      [Number.NaN, 3],
      [Number.NaN, Number.NaN],
    ]
    for (const row of rows) values.fill(row, 'row')
    expect(rows).toEqual([
      [1, 2],
      [1, 3],
      [1, 3],
    ])
  })
})
