/** Code that was emitted before: taken by programs that fit it, and run by hand without gruv. */

import { describe, expect, it, vi } from 'vitest'
import { type Artifact, compile, compileSync, emit } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { dense, sequential } from '../../src/model/index.ts'
import { fnv1a64 } from '../../src/runtime/plan/hash.ts'
import { bits, bothWays } from '../support/engines.ts'
import { random, randomGru, randomLstm, randomTensor, tensor } from '../support/random.ts'

function modelOf(seed: number, features = 3) {
  const next = random(seed + 100)
  const head = dense({ kernel: tensor(next, [9, 2]), bias: tensor(next, [2]), activation: 'tanh' })
  return sequential([randomGru(seed, features, 9), head])
}

const model = modelOf(1)
const x = randomTensor(2, [20, 3])

function forbid(): never {
  throw new WebAssembly.CompileError('unsafe-eval is not allowed')
}

describe('a program takes an artifact', () => {
  it('with the bits of one that compiles itself', async () => {
    const expected = compileSync(model, { deterministic: true }).predict(x).y
    const artifact = emit(model)
    const compiled: Artifact = {
      ...artifact,
      code: new WebAssembly.Module(artifact.code as BufferSource),
    }
    for (const each of [artifact, compiled]) {
      for (const program of [
        compileSync(model, { artifact: each, engine: 'wasm', deterministic: true }),
        await compile(model, { artifact: each, engine: 'wasm', deterministic: true }),
      ]) {
        expect(program.engine).toMatchObject({ kind: 'wasm', simd: 'simd128', deterministic: true })
        expect(bits(program.predict(x).y)).toEqual(bits(expected))
      }
    }
  })

  it('where the host forbids compiling, if it compiled the code itself', () => {
    const artifact = emit(model)
    const code = new WebAssembly.Module(artifact.code as BufferSource)
    vi.spyOn(WebAssembly, 'Module').mockImplementation(forbid)
    try {
      const options = { engine: 'wasm', artifact: { ...artifact, code } } as const
      expect(compileSync(model, options).engine.kind).toBe('wasm')
      expect(compileSync(model, { artifact }).engine.kind).toBe('js')
      expect(() => compileSync(model, { ...options, artifact })).toThrow('unsafe-eval')
    } finally {
      vi.restoreAllMocks()
    }
  })

  it('with other weights of the same shape', () => {
    const other = modelOf(7)
    const options = { artifact: emit(model), deterministic: true } as const
    const expected = compileSync(other, { deterministic: true }).predict(x).y
    expect(compileSync(other, options).predict(x).y).toEqual(expected)
  })

  it('and refuses one that is not its own, or not deterministic', async () => {
    const artifact = emit(model)
    for (const [options, message] of [
      [{ artifact: emit(modelOf(1, 4)) }, /emitted for another model/],
      [{ artifact, streams: 2 }, /as many streams/],
      [
        { artifact: emit(model, { deterministic: false }), deterministic: true },
        /not deterministic/,
      ],
    ] as const) {
      expect(() => compileSync(model, options)).toThrow(message)
      await expect(compile(model, options)).rejects.toThrow(message)
    }
  })
})

describe('an artifact', () => {
  it('is the same bytes every time', () => {
    expect(emit(model)).toEqual(emit(model))
  })

  it('runs without gruv: instantiated and stepped by hand, several streams, the same bits', () => {
    const { code, weights, layout } = emit(model, { streams: 2 })
    const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages })
    new Float32Array(memory.buffer).set(weights)
    const module = new WebAssembly.Module(code as BufferSource)
    const { exports } = new WebAssembly.Instance(module, { gruv: { memory } })
    const program = compileSync(model, { streams: 2, deterministic: true })
    const streams = layout.streams.map((slots) => ({ slots, stream: program.stream() }))
    for (let t = 0; t < 20; t++) {
      for (const [i, { slots, stream }] of streams.entries()) {
        const input = new Float32Array(memory.buffer, slots.inputs.x.byteOffset, 3)
        stream.input.set(x.data.subarray(3 * t, 3 * t + 3).map((value) => value + i))
        input.set(stream.input)
        stream.step()
        for (const step of layout.steps)
          (exports[step] as (frame: number, state: number) => void)(slots.frame, slots.state)
        const { byteOffset, length } = slots.outputs.y
        const output = new Float32Array(memory.buffer, byteOffset, length)
        expect(bits({ data: output })).toEqual(bits({ data: stream.output }))
        const h = slots.states['gru.h']
        const state = new Float32Array(memory.buffer, h.byteOffset, h.length)
        expect(Array.from(state)).toEqual(Array.from(stream.getState()['gru.h']))
      }
    }
  })

  it('changes with the plan hash alone', () => {
    const every = sequential([
      randomGru(2, 7, 5),
      randomLstm(3, 5, 6),
      dense({ kernel: randomTensor(4, [6, 17]) }),
    ])
    const { planHash, code, weights } = emit(every)
    const names = WebAssembly.Module.exports(new WebAssembly.Module(code as BufferSource))
    const digest = fnv1a64(`${names.map(({ name }) => name)} ${bits({ data: weights })}`)
    // Where the second is another one, raise FORMAT in `src/runtime/plan/plan.ts`: earlier artifacts
    // would be accepted, and give wrong numbers. Then the first is another one too.
    expect([planHash, digest]).toEqual(['5fd917bc069b3ca1', '77d37d1e877327c3'])
  })

  it('has no steps where no layer reads an input', () => {
    const unread = { name: 'b', shape: ['batch', 'time', 2] } as const
    const two = createModel({ ...model, inputs: [...model.inputs, unread] })
    expect(emit(two).layout).toMatchObject({ streams: [], steps: [] })
    const program = compileSync(two)
    expect(() => program.stream()).toThrow(/b: this model cannot run step by step: no layer reads/)
    const { y } = program.predict({ x, b: randomTensor(3, [20, 2]) })
    expect(y).toEqual(compileSync(model).predict(x).y)
  })

  it('has no steps where the model cannot go step by step', () => {
    expect(emit(sequential([bothWays(3, 5)])).layout).toMatchObject({ streams: [], steps: [] })
  })
})
