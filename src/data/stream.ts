/** Writes arrays that are too long to be held at once, part by part. */

import { JsonArray, jsonFrame } from '../bytes/json/write.ts'
import { encodeNumbers } from '../bytes/numbers/encode.ts'
import { npyHeader } from '../bytes/numpy/npy.ts'
import { type StoredEntry, storedZip } from '../bytes/zip/stored.ts'
import { GruvError } from '../errors.ts'
import { sizeOf } from '../tensor.ts'
import { formatOfName } from './formats.ts'

export interface StreamedArray {
  readonly name: string
  readonly shape: readonly number[]
  /**
   * Its numbers in C order, in blocks of any size. Called twice where an .npz is written: the
   * checksum of an array comes before it.
   */
  readonly blocks: () => AsyncIterable<Float64Array>
}

const BYTES = Float64Array.BYTES_PER_ELEMENT

/**
 * The same bytes as `writeData` gives for these arrays, with memory for one block.
 * @throws GruvError `bad-argument` for another ending than .npz and .json, `too-large` for an
 *   archive from 4 GiB.
 */
export function streamData(
  arrays: readonly StreamedArray[],
  name: string,
): AsyncIterable<Uint8Array> {
  const format = formatOfName(name)
  if (format === 'npz') return storedZip(arrays.map(npyEntry))
  if (format === 'json') return jsonParts(arrays)
  throw new GruvError('bad-argument', 'this format does not hold several arrays', {
    expected: 'a name that ends in .npz or .json',
    got: name,
  })
}

function npyEntry({ name, shape, blocks }: StreamedArray): StoredEntry {
  const header = npyHeader(shape, 'float64')
  return {
    name: `${name}.npy`,
    size: header.length + BYTES * sizeOf(shape),
    async *parts() {
      yield header
      for await (const block of blocks()) yield encodeNumbers(block)
    },
  }
}

async function* jsonParts(arrays: readonly StreamedArray[]): AsyncGenerator<Uint8Array> {
  const { before, after, explicit } = jsonFrame(arrays.map(({ name }) => name))
  const utf8 = new TextEncoder()
  for (const [i, { shape, blocks }] of arrays.entries()) {
    const array = new JsonArray(shape, explicit)
    yield utf8.encode(before(i))
    for await (const block of blocks()) yield utf8.encode(array.next(block))
    yield utf8.encode(array.end())
  }
  yield utf8.encode(after)
}
