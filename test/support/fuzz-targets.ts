/** Files for readers to be fuzzed with, of every format: a sample in `test/fuzz.test.ts`, more in `test/deep/`. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseRow, readData } from '../../src/data/index.ts'
import { readOnnxModel } from '../../src/formats/onnx/index.ts'
import { load } from '../../src/index.ts'
import { example } from './cli.ts'
import { fixture } from './fixtures.ts'
import { flipBytes, type Reader, shiftBytes } from './fuzz.ts'

interface Target {
  readonly name: string
  readonly bytes: Uint8Array
  readonly read: Reader
}

const named = (folder: string, endings: RegExp): readonly string[] =>
  readdirSync(new URL(`../fixtures/${folder}/`, import.meta.url)).filter((name) =>
    endings.test(name),
  )
const layer = {
  wMatrix: [[0.1, 0.2, 0.3]],
  uMatrix: [[0.1, 0.2, 0.3]],
  biases: [
    [0, 0, 0],
    [1, 1, 1],
  ],
}

export const targets: readonly Target[] = [
  ...['model.safetensors', 'layer.npz'].map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(join(example, name))),
    read: (bytes: Uint8Array) => load({ [name]: bytes }),
  })),
  {
    name: 'layer.json',
    bytes: new TextEncoder().encode(JSON.stringify(layer)),
    read: (bytes) => load({ 'layer.json': bytes }),
  },
  ...['legacy.pt', 'agent.pt', 'gru-no-bias.pt', 'checkpoint.pt'].map((name) => ({
    name,
    bytes: fixture(`pytorch/${name}`),
    read: (bytes: Uint8Array) => load(bytes),
  })),
  ...['last.onnx', 'packed.onnx', 'attention.onnx', 'tf2onnx.onnx'].map((name) => ({
    name,
    bytes: fixture(`onnx/${name}`),
    // Not `load`, which makes a GruvError of every error.
    read: (bytes: Uint8Array) => readOnnxModel({ name, bytes }, {}),
  })),
  ...named('audio', /\.(json|rnnn)$/).map((name) => ({
    name,
    bytes: fixture(`audio/${name}`),
    read: (bytes: Uint8Array) => load(bytes),
  })),
  ...named('data', /^(?!expected\.json).*\.(npy|npz|csv|tsv|txt|json|jsonl)$/).map((name) => ({
    name,
    bytes: fixture(`data/${name}`),
    read: (bytes: Uint8Array) => readData(bytes, name),
  })),
  {
    name: 'a line of standard input',
    bytes: new TextEncoder().encode('1.5, -2e3, nan, "4", [5]'),
    read: (bytes) => parseRow(new TextDecoder().decode(bytes)),
  },
]

/**
 * Feeds broken copies of one target to its reader, twenty for each seed; which target it is follows
 * from the seed.
 * @returns how many there were, and the time of the slowest in ms.
 * @throws when anything but a GruvError comes out.
 */
export async function fuzzTarget(
  seed: number,
): Promise<{ readonly runs: number; readonly slowestMilliseconds: number }> {
  const { bytes, read } = targets[seed % targets.length]
  const reports = [
    await flipBytes(bytes, read, { runs: 10, seed }),
    await shiftBytes(bytes, read, { runs: 10, seed }),
  ]
  return {
    runs: reports.reduce((sum, { runs }) => sum + runs, 0),
    slowestMilliseconds: Math.max(...reports.map(({ slowestMilliseconds }) => slowestMilliseconds)),
  }
}
