import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeNpy } from '../../src/bytes/numpy/npy.ts'
import { readNpz, writeNpz } from '../../src/bytes/numpy/npz.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'
import { errorOf } from '../support/errors.ts'
import { anyTensors, expectSame } from '../support/tensors.ts'

const vector = writeNpy({ shape: [2], data: Float32Array.of(1, 2) })

describe('npz', () => {
  test.each([false, true])('compress: %s; any arrays of any name come back', async (compress) => {
    await fc.assert(
      fc.asyncProperty(anyTensors(), async (tensors) => {
        const back = await readNpz(await writeNpz(tensors, { compress }))
        expect(Object.keys(back).sort()).toEqual(Object.keys(tensors).sort())
        for (const name of Object.keys(tensors)) expectSame(back[name], tensors[name])
      }),
      { numRuns: 60 },
    )
  })

  test('entries that are no arrays are passed over', async () => {
    const archive = await writeZip([
      { name: 'readme.txt', bytes: vector },
      { name: 'a.npy', bytes: vector },
      { name: '__MACOSX/._a.npy', bytes: Uint8Array.of(0, 5, 22, 7) },
    ])
    expect(Object.keys(await readNpz(archive))).toEqual(['a'])
  })

  test('an archive of something else says what is inside', async () => {
    const archive = await writeZip([{ name: '[Content_Types].xml', bytes: vector }])
    const error = await errorOf(() => readNpz(archive))
    expect([error.code, error.got]).toEqual(['unsupported', '"[Content_Types].xml"'])
  })

  test('an error names the entry', async () => {
    const archive = await writeZip([{ name: 'gru/kernel.npy', bytes: vector.subarray(0, -1) }])
    const error = await errorOf(() => readNpz(archive))
    expect(error.message).toMatch(/^"gru\/kernel\.npy": byte 128: the file does not hold/)
  })
})
