/**
 * Writes the numbers of a trace to a file, with memory for one chunk only. A trace yields some
 * steps of all values, but a file has all steps of one value, then those of the next. So the
 * numbers are first written to a temporary file, each at its offset, and read from there in order.
 */

import type { FileHandle } from 'node:fs/promises'
import { streamData } from '../data/index.ts'
import { GruvError, isGruvError } from '../index.ts'
import type { Trace } from '../trace/index.ts'
import { openAside, removeAside, writeParts } from './output-files.ts'

const BYTES = Float64Array.BYTES_PER_ELEMENT
/** Numbers that are read at a time. */
const BLOCK = 2 ** 13

/** The offset and shape of an array in the temporary file. */
interface Place {
  readonly from: number
  readonly shape: readonly [rows: number, steps: number, units: number]
}

/**
 * As .npz or .json; the arrays are named LAYER.VALUE and are [rows, steps, units].
 * @param onProgress told the share of the steps that are traced, from 0 to 1.
 * @throws GruvError `too-large`, before anything is computed, for an .npz from 4 GiB.
 */
export async function writeTrace(
  traced: Trace,
  path: string,
  onProgress: (share: number) => void,
): Promise<void> {
  const places = placesOf(traced)
  await writeParts(path, async function* () {
    const { file, aside } = await openAside(path)
    try {
      const parts = streamPlaces(places, file, path)
      await putAside(traced, places, file, onProgress)
      yield* parts
    } finally {
      await file.close()
      await removeAside(aside)
    }
  })
}

function placesOf({ layers }: Trace): ReadonlyMap<string, Place> {
  let end = 0
  return new Map(
    layers.flatMap(({ name, rows, steps, units, values }) =>
      values.map((value) => {
        const from = end
        end += BYTES * rows * steps * units
        return [`${name}.${value}`, { from, shape: [rows, steps, units] }] as const
      }),
    ),
  )
}

function streamPlaces(
  places: ReadonlyMap<string, Place>,
  file: FileHandle,
  path: string,
): AsyncIterable<Uint8Array> {
  const arrays = [...places].map(([name, place]) => {
    return { name, shape: place.shape, blocks: () => readBlocks(file, place) }
  })
  try {
    return streamData(arrays, path)
  } catch (error) {
    if (!isGruvError(error) || error.code !== 'too-large') throw error
    const { problem, expected, got } = error
    throw new GruvError('too-large', problem, {
      where: path,
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      fix: 'Choose some: --layer NAME, --steps FROM:TO. Or write .json, which has no end.',
    })
  }
}

/** Reads the trace and writes every number at its offset. */
async function putAside(
  traced: Trace,
  places: ReadonlyMap<string, Place>,
  file: FileHandle,
  onProgress: (share: number) => void,
): Promise<void> {
  const all = traced.layers.reduce((sum, { rows, steps }) => sum + rows * steps, 0)
  let done = 0
  const firsts = new Map(traced.layers.map(({ name, first }) => [name, first]))
  for (const { layer, row, first, steps: count, values } of traced) {
    done += count
    onProgress(done / all)
    for (const [value, numbers] of Object.entries(values)) {
      const { from, shape } = places.get(`${layer}.${value}`)!
      const [, steps, units] = shape
      const at = from + BYTES * units * (row * steps + first - firsts.get(layer)!)
      await writeAll(file, new Uint8Array(numbers.buffer), at)
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}

async function* readBlocks(
  file: FileHandle,
  { from, shape: [rows, steps, units] }: Place,
): AsyncGenerator<Float64Array> {
  const count = rows * steps * units
  const block = new Float64Array(BLOCK)
  for (let done = 0; done < count; ) {
    const length = Math.min(BLOCK, count - done)
    const bytes = new Uint8Array(block.buffer, 0, BYTES * length)
    for (let read = 0; read < bytes.length; ) {
      const at = from + BYTES * done + read
      const { bytesRead } = await file.read(bytes, read, bytes.length - read, at)
      if (bytesRead === 0) throw new GruvError('unreadable', 'a file was cut off while it was read')
      read += bytesRead
    }
    yield block.subarray(0, length)
    done += length
  }
}
