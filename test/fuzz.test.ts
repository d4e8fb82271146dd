/**
 * Hostile files for every reader, for as long as one likes: `npm run fuzz` takes a minute,
 * `GRUV_FUZZ_SECONDS=3600 npm run fuzz` an hour. A failure names the seed and the bytes; set
 * `GRUV_FUZZ_SEED` to see it again.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseRow, readData } from '../src/data/index.ts'
import { readOnnxModel } from '../src/formats/onnx/index.ts'
import { load } from '../src/index.ts'
import { example } from './support/cli.ts'
import { fixture } from './support/fixtures.ts'
import { flipBytes, type Reader, shiftBytes } from './support/fuzz.ts'

/** With the other tests a taste of it; by its own name, as CI runs it, a minute. */
const seconds = Number(
  process.env.GRUV_FUZZ_SECONDS ?? (process.env.npm_lifecycle_event === 'fuzz' ? 60 : 3),
)
const firstSeed = Number(process.env.GRUV_FUZZ_SEED ?? Date.now() % 2 ** 31)

interface Target {
  readonly name: string
  readonly bytes: Uint8Array
  readonly read: Reader
}

const named = (folder: string, endings: RegExp): readonly string[] =>
  readdirSync(new URL(`./fixtures/${folder}/`, import.meta.url)).filter((name) =>
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

const targets: readonly Target[] = [
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

describe('hostile files', () => {
  it(
    `only GruvErrors come out, for ${seconds} s from seed ${firstSeed}`,
    async () => {
      const end = performance.now() + seconds * 1000
      let runs = 0
      let slowest = 0
      for (let seed = firstSeed; performance.now() < end; seed++) {
        const { bytes, read } = targets[seed % targets.length]
        for (const fuzz of [flipBytes, shiftBytes]) {
          const report = await fuzz(bytes, read, { runs: 10, seed })
          runs += report.runs
          slowest = Math.max(slowest, report.slowestMilliseconds)
        }
      }
      console.info(`fuzz: ${runs} broken files, the slowest took ${slowest.toFixed(0)} ms`)
      expect(runs).toBeGreaterThan(0)
    },
    (seconds + 30) * 1000,
  )
})
