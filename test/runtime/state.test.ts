/** States as records: whole, the same bytes everywhere, refused under another model (docs/state.md). */

import { describe, expect, it } from 'vitest'
import { convert } from '../../src/convert/index.ts'
import {
  type CompileOptions,
  compileSync,
  load,
  type Program,
  type Stream,
} from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { bidirectional, dense, type Model, sequential } from '../../src/model/index.ts'
import type { GruNode } from '../../src/model/types.ts'
import { bits, both, precisions } from '../support/engines.ts'
import {
  random,
  randomArrays,
  randomGru,
  randomLstm,
  randomRnn,
  randomTensor,
} from '../support/random.ts'

const features = 3
const head = dense({ kernel: randomTensor(9, [5, 2]), bias: randomTensor(10, [2]) })
const models: readonly (readonly [string, Model])[] = [
  ['GRU', sequential([randomGru(1, features, 5)])],
  ['GRU of another order', sequential([randomGru(1, features, 5, { reset: 'before' })])],
  ['GRU, GRU, Dense', sequential([randomGru(1, features, 7), randomGru(2, 7, 5), head])],
  ['LSTM', sequential([randomLstm(3, features, 5)])],
  ['RNN', sequential([randomRnn(4, features, 6)])],
  ['GRU that starts from an input', startingFromInput()],
  ['GRU of more than a megabyte', sequential([randomGru(8, features, 300)])],
]

function startingFromInput(): Model {
  const [node] = sequential([randomGru(5, features, 5)]).nodes as readonly GruNode[]
  return createModel({
    name: 'test',
    source: 'test',
    inputs: [
      { name: 'x', shape: ['batch', 'time', features] },
      { name: 'h0', shape: ['batch', 5] },
    ],
    outputs: [{ name: 'y', value: 'y' }],
    nodes: [{ ...node, inputs: { x: 'x', initialState: 'h0' }, outputs: { sequence: 'y' } }],
  })
}

/** Steps with random numbers at all inputs; what comes out at each. */
function run(stream: Stream, seed: number, steps: number): number[][] {
  const next = random(seed)
  return Array.from({ length: steps }, () => {
    for (const input of Object.values(stream.inputs)) input.forEach((_, i) => (input[i] = next()))
    stream.step()
    return bits({ data: stream.output })
  })
}

const programs = (model: Model, options: CompileOptions = {}): readonly Program[] => [
  ...both(model, options),
  compileSync(model, { ...options, engine: 'wasm' }),
]

describe.each(models)('%s', (_, model) => {
  it.each(precisions)('in %s: goes on elsewhere as if it had not been moved', (precision) => {
    for (const program of programs(model, { precision, streams: 2 })) {
      const stream = program.stream()
      for (const steps of [0, 1, 7]) {
        stream.reset()
        run(stream, 1, steps)
        const bytes = new Uint8Array(program.stateBytes + 16)
        stream.saveTo(bytes, 8)
        const expected = run(stream, 2, 5)
        const other = program.stream()
        run(other, 3, 4)
        other.loadFrom(bytes, 8)
        expect(run(other, 2, 5)).toEqual(expected)
        other.close()
      }
    }
  })

  it.each(precisions)('in %s: the same bytes in JavaScript and WebAssembly', (precision) => {
    const [js, wasm] = both(model, { precision }).map((program) => {
      const stream = program.stream()
      run(stream, 4, 6)
      const bytes = new Uint8Array(program.stateBytes)
      stream.saveTo(bytes)
      return bytes
    })
    expect(js).toEqual(wasm)
  })

  it.each(precisions)('in %s: steps of many are steps of each', (precision) => {
    for (const program of programs(model, { precision })) {
      const stream = program.stream()
      const next = random(6)
      // Tiles are rows of large models alone, whose steps take long.
      const isLarge = program.plan.weightsSize > 1e5
      if (isLarge && program.engine.kind === 'js') continue
      for (const count of isLarge ? [1, 17, 67] : [1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 67]) {
        const states = new Uint8Array(count * program.stateBytes)
        for (let i = 0; i < count; i++) {
          stream.reset()
          run(stream, i, i % 4)
          stream.saveTo(states, i * program.stateBytes)
        }
        const inWidth = Object.values(stream.inputs).reduce((sum, { length }) => sum + length, 0)
        const inputs = Float32Array.from({ length: count * inWidth }, () => next() - 0.5)
        const outputs = new (precision === 'f32' ? Float32Array : Float64Array)(
          count * stream.output.length,
        )
        const before = states.slice()
        program.stepMany(states, inputs, outputs)

        const single = new Uint8Array(program.stateBytes)
        for (let i = 0; i < count; i++) {
          stream.loadFrom(before, i * program.stateBytes)
          let at = i * inWidth
          for (const input of Object.values(stream.inputs)) {
            input.set(inputs.subarray(at, at + input.length))
            at += input.length
          }
          stream.step()
          stream.saveTo(single)
          const size = program.stateBytes
          expect(states.slice(i * size, (i + 1) * size)).toEqual(single)
          const { length } = stream.output
          const row = outputs.slice(i * length, (i + 1) * length)
          expect(bits({ data: row })).toEqual(bits({ data: stream.output }))
        }
      }
    }
  })

  it('has the fingerprint of its copy in another format', async () => {
    const program = compileSync(model)
    const stream = program.stream()
    run(stream, 1, 3)
    const bytes = new Uint8Array(program.stateBytes)
    stream.saveTo(bytes)
    const copy = await load((await convert(model, 'copy.safetensors')).bytes)
    const other = compileSync(copy).stream()
    other.loadFrom(bytes)
    expect(run(other, 2, 4)).toEqual(run(stream, 2, 4))
  })
})

describe('live states', () => {
  it('are what steps change and what steps read', () => {
    const [program] = both(models[2][1], { streams: 2 })
    const [a, b] = [program.stream(), program.stream()]
    run(a, 1, 3)
    expect(a.state).toEqual(a.getState())
    const kept = a.getState()
    const expected = run(a, 2, 3)
    expect(a.state).toEqual(a.getState())
    for (const [name, values] of Object.entries(b.state)) values.set(kept[name])
    expect(run(b, 2, 3)).toEqual(expected)
  })
})

describe('a record', () => {
  const model = sequential([randomGru(1, 1, 1)])
  const program = compileSync(model, { engine: 'js', streams: 2 })
  const stream = program.stream()
  run(stream, 1, 3)
  const record = new Uint8Array(program.stateBytes)
  stream.saveTo(record)

  it('is laid out as docs/state.md says', () => {
    expect(program.stateBytes).toBe(32)
    const view = new DataView(record.buffer)
    expect(String.fromCharCode(...record.subarray(0, 4))).toBe('GRUS')
    expect(view.getUint16(4, true)).toBe(1)
    expect(view.getUint8(6)).toBe(4)
    expect(view.getUint8(7)).toBe(1)
    expect(view.getBigUint64(8, true)).toBe(fingerprint(model))
    expect(view.getBigUint64(16, true)).toBe(3n)
    expect(view.getFloat32(24, true)).toBe(stream.state['gru.h'][0])
    expect(view.getUint32(28, true)).toBe(0)
  })

  it('counts steps beyond 32 bits', () => {
    const later = record.slice()
    new DataView(later.buffer).setBigUint64(16, 2n ** 33n + 7n, true)
    stream.loadFrom(later)
    stream.step()
    stream.saveTo(later)
    expect(new DataView(later.buffer).getBigUint64(16, true)).toBe(2n ** 33n + 8n)
  })

  it('may lie anywhere in a buffer', () => {
    const around = new Uint8Array(program.stateBytes + 3).subarray(3)
    stream.loadFrom(record)
    stream.saveTo(around)
    expect(around).toEqual(record)
    run(stream, 5, 1)
    stream.loadFrom(around)
    const again = new Uint8Array(program.stateBytes)
    stream.saveTo(again)
    expect(again).toEqual(record)
  })

  it('of many kinds is refused, and then nothing has changed', () => {
    const changed = (at: number, value: number) => {
      const copy = record.slice()
      copy[at] = value
      return copy
    }
    const double = compileSync(model, { precision: 'f64' })
    const wide = new Uint8Array(double.stateBytes)
    double.stream().saveTo(wide)
    const cases: readonly (readonly [Uint8Array, number, RegExp])[] = [
      [record.subarray(0, 24), 0, /no room for a state.*got byte 0 of 24/],
      [record, 8, /no room/],
      [record, 4, /multiple of 8/],
      [record, -8, /no room/],
      [record, Number.NaN, /no room/],
      [new Uint8Array(32), 0, /other bytes/],
      [changed(4, 2), 0, /got version 2/],
      [changed(8, record[8] ^ 1), 0, /another model/],
      [changed(15, record[15] ^ 1), 0, /another model/],
      [changed(7, 2), 0, /other bytes/],
      [wide, 0, /64 bits/],
    ]
    stream.loadFrom(record)
    for (const [bytes, at, message] of cases) {
      expect(() => stream.loadFrom(bytes, at), `${message}`).toThrow(message)
      const after = new Uint8Array(program.stateBytes)
      stream.saveTo(after)
      expect(after).toEqual(record)
    }
    expect(() => stream.saveTo(new Uint8Array(24))).toThrow(/no room/)
  })

  it('of a model with one other weight is refused, also after new weights', () => {
    const other = structuredClone(model)
    const { data } = (other.nodes[0] as GruNode).weights.kernel.z
    // The last bit.
    new Uint32Array(data.buffer, data.byteOffset)[0] ^= 1
    const program = compileSync(model)
    const stream = program.stream()
    stream.loadFrom(record)
    program.setWeights(other)
    expect(() => stream.loadFrom(record)).toThrow(/another model/)
    program.setWeights(model)
    stream.loadFrom(record)
  })

  it('of a closed stream is not written', () => {
    const closed = program.stream()
    closed.close()
    expect(() => closed.saveTo(record)).toThrow(/closed/)
    expect(() => closed.loadFrom(record)).toThrow(/closed/)
  })
})

describe('steps of many', () => {
  const model = sequential([randomGru(1, 2, 3)])
  const program = compileSync(model)
  const size = program.stateBytes
  const states = new Uint8Array(3 * size)
  const stream = program.stream()
  for (let i = 0; i < 3; i++) stream.saveTo(states, i * size)

  it('are taken by all sequences or by none', () => {
    const [inputs, outputs] = [new Float32Array(6).fill(1), new Float32Array(9)]
    const damaged = states.slice()
    damaged[2 * size] ^= 1
    const before = damaged.slice()
    expect(() => program.stepMany(damaged, inputs, outputs)).toThrow(/no state of this model/)
    expect(() => program.stepMany(states.subarray(1), inputs, outputs)).toThrow(/whole records/)
    expect(() => program.stepMany(states, inputs.subarray(1), outputs)).toThrow(/inputs/)
    expect(() => program.stepMany(states, inputs, outputs.subarray(1))).toThrow(/outputs/)
    expect(damaged).toEqual(before)
    expect(Array.from(outputs)).toEqual(Array(9).fill(0))
  })

  it('of no sequence do nothing', () => {
    program.stepMany(new Uint8Array(0), new Float32Array(0), new Float32Array(0))
  })

  it('need a model that runs step by step', () => {
    const arrays = randomArrays(1, 2, 3, 3)
    const backward = compileSync(sequential([bidirectional({ forward: arrays, backward: arrays })]))
    expect(() => backward.stepMany(states, new Float32Array(6), new Float32Array(9))).toThrow(
      /cannot run step by step/,
    )
  })
})

/** FNV-1a with big integers, over the text that docs/state.md describes, written out by hand. */
function fingerprint(model: Model): bigint {
  const [node] = model.nodes as readonly GruNode[]
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  const activation = (kind: string) => `{"kind":"${kind}","parameters":[]}`
  const gates = (shape: string) => `{"n":${shape},"r":${shape},"z":${shape}}`
  const text =
    `{"inputs":[{"name":"x","shape":["batch","time",1]}],` +
    `"nodes":[{"activation":${activation('tanh')},"bias":"separate","clip":null,` +
    `"direction":"forward","features":1,"inputs":{"x":"x"},"kind":"gru","maskedOutput":"repeat",` +
    `"name":"gru","outputs":{"sequence":"gru.sequence"},` +
    `"recurrentActivation":${activation('sigmoid')},"resetAfter":true,"units":1,"update":"keeps",` +
    `"weights":{"inputBias":${gates('[1]')},"kernel":${gates('[1,1]')},` +
    `"recurrentBias":${gates('[1]')},"recurrentKernel":${gates('[1,1]')}}}],` +
    `"outputs":[{"name":"y","shape":["batch","time",1],"value":"gru.sequence"}]}`
  const numbers = [inputBias!, kernel, recurrentBias!, recurrentKernel].flatMap(({ n, r, z }) =>
    [n, r, z].flatMap(({ data }) => Array.from(data)),
  )
  const units = [
    ...Array.from(text, (character) => character.charCodeAt(0)),
    ...new Uint16Array(Float64Array.from(numbers).buffer),
  ]
  return units.reduce(
    (hash, unit) => BigInt.asUintN(64, (hash ^ BigInt(unit)) * 0x100000001b3n),
    0xcbf29ce484222325n,
  )
}
