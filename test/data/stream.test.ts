/** Tests that files written part by part are the same bytes as files written at once. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type StreamedArray, streamData, writeData } from '../../src/data/index.ts'
import type { Named, Tensor } from '../../src/index.ts'
import { errorOf, thrownBy } from '../support/errors.ts'
import { anyTensors } from '../support/tensors.ts'

async function streamed(arrays: readonly StreamedArray[], name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  // The next part may reuse the memory of this one.
  for await (const part of streamData(arrays, name)) parts.push(part.slice())
  return Buffer.concat(parts)
}

function inBlocks(tensors: Named<Tensor>, size: number): readonly StreamedArray[] {
  return Object.entries(tensors).map(([name, { shape, data }]) => ({
    name,
    shape,
    async *blocks() {
      for (let i = 0; i < data.length; i += size)
        yield Float64Array.from(data.subarray(i, i + size))
    },
  }))
}

describe('streamData', () => {
  test.each(['x.npz', 'x.json'])(
    '%s: the bytes of writeData, whatever the blocks',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(anyTensors(), fc.integer({ min: 1, max: 5 }), async (tensors, size) => {
          const doubles = Object.fromEntries(
            Object.entries(tensors).map(([key, { shape, data }]) => [
              key,
              { shape, data: Float64Array.from(data) },
            ]),
          )
          expect(Buffer.from(await streamed(inBlocks(doubles, size), name))).toEqual(
            Buffer.from(await writeData(doubles, name)),
          )
        }),
        { numRuns: 100 },
      )
    },
  )

  test('what cannot be is said before the first byte', async () => {
    const blocks = async function* () {}
    const one = { name: 'a', shape: [1], blocks }
    expect(thrownBy(() => streamData([one, one], 'x.npz'))).toMatchObject({ code: 'bad-argument' })
    expect(thrownBy(() => streamData([one], 'x.csv'))).toMatchObject({
      code: 'bad-argument',
      expected: 'a name that ends in .npz or .json',
    })
    const large = { name: 'a', shape: [2 ** 29], blocks }
    expect(thrownBy(() => streamData([large], 'x.npz'))).toMatchObject({ code: 'too-large' })
    expect(await errorOf(async () => streamData([large], 'x.npz'))).toMatchObject({
      expected: 'at most 4080 MiB',
    })
  })
})
