/**
 * Measures states in a process of its own: a step of a key whose state is a record, against a bare
 * step, and a step of many keys at once against single ones.
 *
 *     node dist/state.js '{"rounds": 11, "slice": 40, "warmup": 600, "most": 4000}'
 */

import type { Program, Stream } from '../../dist/index.js'
import { toSafetensors } from './files.ts'
import { makeLayer, makeWork } from './layer.ts'
import { median, medianRatio, type Subject, type TimingOptions, timeInTurn } from './timing.ts'

export interface StateResult {
  readonly what: string
  readonly units: number
  readonly ns: number
  /** Times as long as the first row of this size. */
  readonly ratio: number
}

const { compile, load } = await import('../../dist/index.js')
const options: TimingOptions = JSON.parse(process.argv[2])
const results: StateResult[] = []
results.push(...(await oneByOne(16, 100_000)))
for (const units of [64, 128, 256, 384, 512]) results.push(...(await together(units, 64)))
process.stdout.write(`${JSON.stringify(results)}\n`)

async function opened(units: number): Promise<readonly [Program, Stream]> {
  const model = await load(toSafetensors(makeLayer(units)), { name: 'bench' })
  const program = await compile(model, { engine: 'wasm', deterministic: true })
  return [program, program.stream()]
}

function records(stream: Stream, size: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * size)
  for (let i = 0; i < count; i++) stream.saveTo(bytes, i * size)
  return bytes
}

/** Keys in an order that no cache foresees, and a few of them. */
async function oneByOne(units: number, keys: number): Promise<readonly StateResult[]> {
  const [program, stream] = await opened(units)
  const size = program.stateBytes
  const bytes = records(stream, size, keys)
  // A full cycle through the keys (Hull and Dobell): odd step, and a factor that is 1 modulo 4.
  const order = new Int32Array(2 ** 17)
  for (let i = 1; i < order.length; i++) order[i] = (order[i - 1] * 54773 + 12345) % order.length
  const shuffled = order.filter((key) => key < keys)
  const kept = Array.from({ length: keys }, () => stream.getState())
  let i = 0
  const keyed = (key: (i: number) => number) => (calls: number) => {
    for (let call = 0; call < calls; call++) {
      i = i + 1 === keys ? 0 : i + 1
      const at = key(i) * size
      stream.loadFrom(bytes, at)
      stream.step()
      stream.saveTo(bytes, at)
    }
  }
  return compared(units, [
    {
      name: 'a bare step',
      run(calls) {
        for (let call = 0; call < calls; call++) stream.step()
      },
    },
    { name: 'loadFrom, step, saveTo: 64 keys', run: keyed((i) => i % 64) },
    { name: `loadFrom, step, saveTo: ${keys} keys, shuffled`, run: keyed((i) => shuffled[i]) },
    {
      name: `setState, step, getState: ${keys} keys, shuffled`,
      run(calls) {
        for (let call = 0; call < calls; call++) {
          i = i + 1 === keys ? 0 : i + 1
          stream.setState(kept[shuffled[i]])
          stream.step()
          kept[shuffled[i]] = stream.getState()
        }
      },
    },
  ])
}

/** Times of one step of one key. */
async function together(units: number, keys: number): Promise<readonly StateResult[]> {
  const [program, stream] = await opened(units)
  const size = program.stateBytes
  const bytes = records(stream, size, keys)
  const { x } = makeWork('batch', makeLayer(units))
  const inputs = x.subarray(0, keys * units)
  const outputs = new Float32Array(keys * units)
  const rows = await compared(units, [
    {
      name: `${keys} keys, one by one`,
      run(calls) {
        for (let call = 0; call < calls; call++) {
          for (let key = 0; key < keys; key++) {
            stream.loadFrom(bytes, key * size)
            stream.input.set(inputs.subarray(key * units, (key + 1) * units))
            stream.step()
            outputs.set(stream.output, key * units)
            stream.saveTo(bytes, key * size)
          }
        }
      },
    },
    {
      name: `${keys} keys, stepMany`,
      run(calls) {
        for (let call = 0; call < calls; call++) program.stepMany(bytes, inputs, outputs)
      },
    },
  ])
  return rows.map((row) => ({ ...row, ns: row.ns / keys }))
}

async function compared(
  units: number,
  subjects: readonly Subject[],
): Promise<readonly StateResult[]> {
  const times = await timeInTurn(subjects, options)
  const first = times.get(subjects[0].name)!
  return subjects.map(({ name }) => {
    const each = times.get(name)!
    return { what: name, units, ns: median(each), ratio: medianRatio(each, first) }
  })
}
