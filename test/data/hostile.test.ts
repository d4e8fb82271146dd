import { describe, expect, test } from 'vitest'
import { writeNpy } from '../../src/bytes/numpy/npy.ts'
import { writeNpz } from '../../src/bytes/numpy/npz.ts'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { readData, writeData } from '../../src/data/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { fixture } from '../support/fixtures.ts'
import {
  type FuzzReport,
  flipBytes,
  type Reader,
  shiftBytes,
  truncateEverywhere,
} from '../support/fuzz.ts'

const matrix: Tensor = { shape: [3, 2], data: Float32Array.of(0.5, -1.25e-7, 3, Number.NaN, 5, 6) }
const vector: Tensor = { shape: [2], data: Float64Array.of(1, 2) }
const pair = { 'gru/kernel': matrix, b: vector }
const named =
  (name: string): Reader =>
  (bytes) =>
    readData(bytes, name)

/** `whole`: no part of such a file is a file, so every truncation has to be refused. */
const files: readonly { name: string; bytes: Uint8Array; read: Reader; whole: boolean }[] = [
  { name: 'npy', bytes: writeNpy(matrix), read: named('x.npy'), whole: true },
  { name: 'npy, Fortran', bytes: fixture('data/cube-fortran.npy'), read: named('x'), whole: true },
  { name: 'npy, version 2', bytes: fixture('data/version-2.npy'), read: named('x'), whole: true },
  { name: 'npz, stored', bytes: await writeNpz(pair), read: named('x.npz'), whole: true },
  {
    name: 'npz, deflated',
    bytes: await writeNpz(pair, { compress: true }),
    read: named('x'),
    whole: true,
  },
  { name: 'npz of NumPy', bytes: fixture('data/deflated.npz'), read: named('x.npz'), whole: true },
  {
    name: 'safetensors',
    bytes: writeSafetensors({ metadata: { format: 'pt' }, tensors: pair }),
    read: readSafetensors,
    whole: true,
  },
  { name: 'json', bytes: await writeData(pair, 'x.json'), read: named('x.json'), whole: false },
  {
    name: 'jsonl',
    bytes: await writeData({ matrix }, 'x.jsonl'),
    read: named('x.jsonl'),
    whole: false,
  },
  { name: 'csv', bytes: fixture('data/header.csv'), read: named('x.csv'), whole: false },
  { name: 'tsv', bytes: fixture('data/tabs-missing.tsv'), read: named('x.tsv'), whole: false },
  { name: 'text', bytes: fixture('data/comments.txt'), read: named('x.txt'), whole: false },
  { name: 'csv by content', bytes: fixture('data/missing.csv'), read: named('x'), whole: false },
]

describe.each(files)(
  '$name: whatever is done to it, a value or a GruvError',
  ({ bytes, read, whole }) => {
    const runs = bytes[0] === 0x50 ? 400 : 2000

    test('cut off at every length', async ({ annotate }) => {
      const report = await truncateEverywhere(bytes, read)
      await annotate(describeReport(report))
      if (whole) expect(report.accepted).toBe(0)
    })

    test('bytes changed', async ({ annotate }) => {
      await annotate(describeReport(await flipBytes(bytes, read, { runs, seed: 1 })))
    })

    test('bytes left out, doubled and moved', async ({ annotate }) => {
      await annotate(describeReport(await shiftBytes(bytes, read, { runs: runs / 4, seed: 2 })))
    })
  },
)

test('random bytes, with and without the beginning of a real file', async () => {
  for (const start of [...files.map(({ bytes }) => bytes.subarray(0, 12)), new Uint8Array(0)]) {
    const noise = new Uint8Array(200)
    noise.set(start)
    for (const name of ['x', 'x.csv', 'x.json', 'x.jsonl', 'x.npy', 'x.npz']) {
      await flipBytes(noise, named(name), { runs: 50, seed: 3 })
    }
  }
})

function describeReport({ runs, refused, accepted, slowestMilliseconds }: FuzzReport): string {
  return `${runs} files: ${refused} refused, ${accepted} read, slowest ${slowestMilliseconds.toFixed(1)} ms`
}
