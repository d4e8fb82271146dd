/** Two engines side by side, and graphs that a chain of layers does not make. */

import { expect } from 'vitest'
import { type CompileOptions, compileSync, type Program, type RunOptions } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { bidirectional, type GruOptions, type Model, sequential } from '../../src/model/index.ts'
import type { GruNode } from '../../src/model/types.ts'
import type { Tensor } from '../../src/tensor.ts'
import { random, randomGru, tensor } from './random.ts'

/** Both engines, and the proof that they are two. */
export function both(model: Model, options: CompileOptions = {}): readonly [Program, Program] {
  const js = compileSync(model, { ...options, engine: 'js' })
  const wasm = compileSync(model, { ...options, engine: 'wasm', deterministic: true })
  expect(js.engine).toMatchObject({ kind: 'js', simd: 'none', deterministic: true })
  expect(wasm.engine).toMatchObject({ kind: 'wasm', simd: 'simd128', deterministic: true })
  return [js, wasm]
}

/** The bits of numbers, by 32; a NaN has many, which count as one. */
export function bits({ data }: Pick<Tensor, 'data'>): number[] {
  const numbers = data instanceof Float64Array ? data.slice() : Float32Array.from(data)
  numbers.forEach((value, i) => {
    if (Number.isNaN(value)) numbers[i] = Number.NaN
  })
  return Array.from(new Uint32Array(numbers.buffer))
}

export const precisions = ['f32', 'f64'] as const

/** WebAssembly gives the bits of JavaScript in every output and state, in either precision. */
export function expectSameBits(
  model: Model,
  x: Tensor,
  label: string,
  options: RunOptions = {},
  within: readonly (typeof precisions)[number][] = precisions,
): void {
  for (const precision of within) {
    const [js, wasm] = both(model, { precision })
    // Whole tensors are JavaScript's everywhere.
    const whys = new Set(wasm.engine.fallbacks.map(({ why }) => why))
    whys.delete('it works on whole tensors')
    expect([...whys], label).toEqual([])
    const outputs = [...js.outputs, ...js.states].map(({ name }) => name)
    const expected = js.predict(x, { ...options, outputs })
    const actual = wasm.predict(x, { ...options, outputs })
    for (const name of outputs) {
      expect(bits(actual[name]), `${precision}, ${label}, ${name}`).toEqual(bits(expected[name]))
    }
  }
}

/** The same for a sequence that goes through a stream step by step. */
export function expectSameStream(model: Model, x: Tensor): void {
  const [steps, features] = x.shape
  for (const precision of precisions) {
    const [js, wasm] = both(model, { precision })
    const names = js.states.map(({ name }) => name)
    const expected = js.predict(x, { outputs: ['y', ...names] })
    const stream = wasm.stream()
    const out: number[] = []
    for (let t = 0; t < steps; t++) {
      stream.input.set(x.data.subarray(features * t, features * (t + 1)))
      stream.step()
      out.push(...stream.output)
    }
    expect(out, precision).toEqual(Array.from(expected.y.data))
    for (const [name, data] of Object.entries(stream.getState()))
      expect(bits({ data }), `${precision}, ${name}`).toEqual(bits(expected[name]))
  }
}

/** The decoder starts from the encoder's last state, and gives its sequence and its last step. */
export function encoderDecoder(): Model {
  const [encoder] = sequential([randomGru(1, 4, 5, { returnSequences: false })]).nodes
  const [decoder] = sequential([randomGru(2, 4, 5)]).nodes as readonly GruNode[]
  return createModel({
    name: 'encoder and decoder',
    source: 'test',
    inputs: [{ name: 'x', shape: ['batch', 'time', 4] }],
    outputs: [
      { name: 'y', value: 'sequence' },
      { name: 'last', value: 'last' },
    ],
    nodes: [
      encoder,
      {
        ...decoder,
        name: 'decoder',
        inputs: { x: 'x', initialState: encoder.outputs.last },
        outputs: { sequence: 'sequence', last: 'last' },
      },
    ],
  })
}

export function bothWays(
  features: number,
  units: number,
  options: Partial<GruOptions> = {},
): ReturnType<typeof bidirectional> {
  const half = (seed: number): GruOptions => ({
    kernel: tensor(random(seed), [features, 3 * units]),
    recurrentKernel: tensor(random(seed + 1), [units, 3 * units]),
    bias: tensor(random(seed + 2), [2, 3 * units]),
    ...options,
  })
  return bidirectional({ forward: half(1), backward: half(9) })
}
