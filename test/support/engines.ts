/** Compares two engines, and builds graphs that are not chains. */

import { expect } from 'vitest'
import { type CompileOptions, compileSync, type Program, type RunOptions } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { bidirectional, type GruOptions, type Model, sequential } from '../../src/model/index.ts'
import type { GruNode } from '../../src/model/types.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { randomGru, randomTensor } from './random.ts'

/** Both engines, checked to be different ones. */
export function both(model: Model, options: CompileOptions = {}): readonly [Program, Program] {
  const js = compileSync(model, { ...options, engine: 'js' })
  const wasm = compileSync(model, { ...options, engine: 'wasm', deterministic: true })
  expect(js.engine).toMatchObject({ kind: 'js', simd: 'none', deterministic: true })
  expect(wasm.engine).toMatchObject({ kind: 'wasm', simd: 'simd128', deterministic: true })
  return [js, wasm]
}

/** The bits of numbers, in words of 32; all NaN count as one. */
export function bits({ data }: Pick<Tensor, 'data'>): number[] {
  const numbers = data instanceof Float64Array ? data.slice() : Float32Array.from(data)
  numbers.forEach((value, i) => {
    if (Number.isNaN(value)) numbers[i] = Number.NaN
  })
  return Array.from(new Uint32Array(numbers.buffer))
}

export const precisions = ['f32', 'f64'] as const

/** Every combination of the conventions that change the numbers of a GRU. */
export const gruVariants = (['after', 'before'] as const).flatMap((reset) =>
  (['keeps', 'updates'] as const).flatMap((update) =>
    (['separate', 'merged'] as const).map((biasPlacement) => ({ reset, update, biasPlacement })),
  ),
)

/** For titles of tests. */
export function nameOf({ reset, update, biasPlacement }: (typeof gruVariants)[number]): string {
  return `reset ${reset}, z ${update}, bias ${biasPlacement}`
}

/** One step at a time through a stream. */
export function streamed(program: Program, { shape: [steps, features], data }: Tensor): number[] {
  const stream = program.stream()
  const out: number[] = []
  for (let t = 0; t < steps; t++) {
    stream.input.set(data.subarray(t * features, (t + 1) * features))
    stream.step()
    out.push(...stream.output)
  }
  stream.close()
  return out
}

/** Everything that is expected is there, in the same shape and bits. */
export function expectEqual(actual: Named<Tensor>, expected: Named<Tensor>): void {
  for (const [name, tensor] of Object.entries(expected)) {
    expect(actual[name].shape, name).toEqual(tensor.shape)
    expect(bits(actual[name]), name).toEqual(bits(tensor))
  }
}

/** Everything that is expected is there, in the same shape, and nowhere off by the bound. */
export function expectClose(actual: Named<Tensor>, expected: Named<Tensor>, bound: number): void {
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(actual[name].shape, name).toEqual(shape)
    const errors = Array.from(data, (value, i) => Math.abs(value - actual[name].data[i]))
    expect(
      errors.reduce((a, b) => Math.max(a, b)),
      name,
    ).toBeLessThan(bound)
  }
}

/**
 * Expects WebAssembly to give the bits of JavaScript in all outputs and states, in both precisions.
 */
export function expectSameBits(
  model: Model,
  x: Tensor,
  label: string,
  options: RunOptions = {},
  within: readonly (typeof precisions)[number][] = precisions,
): void {
  for (const precision of within) {
    const [js, wasm] = both(model, { precision })
    // Layers on whole tensors run in JavaScript in both engines.
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

/** The same for a stream, step by step. */
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

/**
 * A decoder that starts from the encoder's last state, with its sequence and last step as outputs.
 */
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
    kernel: randomTensor(seed, [features, 3 * units]),
    recurrentKernel: randomTensor(seed + 1, [units, 3 * units]),
    bias: randomTensor(seed + 2, [2, 3 * units]),
    ...options,
  })
  return bidirectional({ forward: half(1), backward: half(9) })
}
