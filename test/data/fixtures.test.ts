import { describe, expect, test } from 'vitest'
import { readData } from '../../src/data/index.ts'
import { expectedArrays, fixture, valuesOf } from '../support/fixtures.ts'

const expected = expectedArrays()

/** A file without a dtype of its own. */
const isText = (name: string): boolean => !/\.np[yz]$/.test(name)

describe('every file in test/fixtures/data, as NumPy reads it', () => {
  test.each(Object.keys(expected))('%s', async (name) => {
    const { tensors } = await readData(fixture(`data/${name}`), name)
    expect(Object.keys(tensors)).toEqual(Object.keys(expected[name]))
    for (const [key, array] of Object.entries(expected[name])) {
      const { shape, data, dtype } = tensors[key]
      expect(shape).toEqual(array.shape)
      expect([...data]).toEqual(valuesOf(array))
      expect(dtype).toBe(isText(name) ? 'text' : array.dtype)
      const single = dtype === 'float16' || dtype === 'float32'
      expect(data).toBeInstanceOf(single ? Float32Array : Float64Array)
    }
  })

  test('binary files are known by their content, texts without an ending by theirs', async () => {
    for (const name of Object.keys(expected)) {
      const { tensors } = await readData(fixture(`data/${name}`), 'download')
      for (const [key, array] of Object.entries(expected[name])) {
        expect([name, [...tensors[key].data]]).toEqual([name, valuesOf(array)])
      }
    }
  })
})
