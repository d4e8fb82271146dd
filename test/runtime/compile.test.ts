/** `compile`, which fetches what a model needs, and `compileSync`, which has it all, are one function. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompileOptions, compile, compileSync, type RunOptions } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { dense, type Model, sequential } from '../../src/model/index.ts'
import type { LayerNode } from '../../src/model/types.ts'
import { bits, bothWays, encoderDecoder } from '../support/engines.ts'
import { random, randomGru, randomLstm, randomTensor, tensor } from '../support/random.ts'

/** Any chain: layers over the steps, then some over the last one, and outputs from anywhere. */
const chains = fc
  .record({
    overSteps: fc.array(fc.constantFrom('gru', 'dense'), { maxLength: 4 }),
    last: fc.constantFrom(null, 'last', 'state'),
    after: fc.nat({ max: 3 }),
    features: fc.integer({ min: 1, max: 6 }),
    unread: fc.boolean(),
    maskedOutput: fc.constantFrom('repeat', 'zero', 'state'),
    seed: fc.nat(),
  })
  .map(({ overSteps, last, after, features, unread, maskedOutput, seed }) => {
    const next = random(seed)
    const kinds = [...overSteps, ...(last === null ? [] : ['gru']), ...Array(after).fill('dense')]
    const values = ['x']
    let [width, value] = [features, 'x']
    const nodes = (kinds.length === 0 ? ['gru'] : kinds).map((kind, i): LayerNode => {
      const units = 1 + Math.floor(next() * 7)
      const layer =
        kind === 'gru'
          ? randomGru(i, width, units, { maskedOutput })
          : dense({ kernel: tensor(next, [width, units]), activation: 'tanh' })
      const [node] = sequential([layer]).nodes
      const port =
        kind === 'dense' ? 'y' : last !== null && i === overSteps.length ? last : 'sequence'
      const name = `layer ${i}`
      // A layer may be asked for more than the next one reads.
      const ports = unread && kind === 'gru' ? ['state', 'last', 'sequence'] : [port]
      const outputs = Object.fromEntries(ports.map((each) => [each, `${name}: ${each}`]))
      values.push(...Object.values(outputs))
      const made = { ...node, name, inputs: { x: value }, outputs } as LayerNode
      value = outputs[port]
      width = units
      return made
    })
    return createModel({
      name: 'chain',
      source: 'test',
      inputs: [{ name: 'x', shape: ['batch', 'time', features] }],
      outputs: values
        .filter((each) => each === value || next() < 0.3)
        .map((each) => ({ name: each, value: each })),
      nodes,
    })
  })

describe('compile and compileSync', () => {
  it('give the same plan, and the same bits of every value and state', async () => {
    const runs = fc.record({
      batch: fc.integer({ min: 1, max: 18 }),
      // Around the chunk of 32 steps.
      steps: fc.integer({ min: 1, max: 66 }),
      how: fc.constantFrom('whole', 'mask', 'lengths'),
      start: fc.constantFrom('zeros', 'one for all', 'one for each'),
      seed: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(chains, runs, async (model, { batch, steps, how, start, seed }) => {
        const next = random(seed)
        const settings = { deterministic: true } as const
        const [waited, sync] = [await compile(model, settings), compileSync(model, settings)]
        expect(waited.plan).toEqual(sync.plan)
        const counts = tensor(next, [batch, steps]).data.map((value) => Number(value > 0))
        const options: RunOptions = {
          outputs: [...waited.outputs, ...waited.states].map(({ name }) => name),
          ...(how === 'mask' && { mask: { shape: [batch, steps], data: counts } }),
          ...(how === 'lengths' && {
            lengths: Array.from({ length: batch }, () => Math.floor(next() * (steps + 1))),
          }),
          ...(start !== 'zeros' && {
            initialState: Object.fromEntries(
              waited.states.map(({ name, size }) => [
                name,
                tensor(next, start === 'one for all' ? [size] : [batch, size]),
              ]),
            ),
          }),
        }
        const x = tensor(next, [batch, steps, Number(model.inputs[0].shape[2])])
        const [a, b] = [waited, sync].map((program) => program.predict(x, options))
        expect(Object.keys(a)).toEqual(options.outputs)
        for (const name of Object.keys(a)) {
          expect(a[name].shape).toEqual(b[name].shape)
          expect(bits(a[name]), name).toEqual(bits(b[name]))
        }
      }),
      { numRuns: 60, seed: 20261127 },
    )
  })

  it.each<[string, Model, CompileOptions]>([
    ['a large GRU, whose blocks are fetched', sequential([randomGru(1, 17, 67)]), {}],
    ['a reset before the product', sequential([randomGru(1, 17, 34, { reset: 'before' })]), {}],
    ['another layer', sequential([randomLstm(1, 3, 4)]), {}],
    ['both directions', sequential([bothWays(3, 4)]), {}],
    ['another activation', sequential([randomGru(1, 3, 4, { activation: 'gelu' })]), {}],
    ['a state that another layer computes', encoderDecoder(), {}],
    ['float64', sequential([randomGru(1, 3, 4)]), { precision: 'f64' }],
    ['several streams', sequential([randomGru(1, 3, 4)]), { streams: 3 }],
    ['nothing but WebAssembly', sequential([randomGru(1, 3, 4)]), { engine: 'wasm' }],
    ['JavaScript', sequential([randomGru(1, 3, 4)]), { engine: 'js' }],
    ['threads', sequential([randomGru(1, 3, 4)]), { threads: 2 }],
  ])('give the same program: %s', async (_, model, more) => {
    const options = { deterministic: true, ...more }
    const [waited, sync] = [await compile(model, options), compileSync(model, options)]
    expect(waited.engine).toEqual(sync.engine)
    expect(waited.plan).toEqual(sync.plan)
    const x = randomTensor(4, [3, 40, Number(model.inputs[0].shape[2])])
    const [a, b] = [waited, sync].map((program) => program.predict(x))
    for (const { name } of waited.outputs) expect(bits(a[name])).toEqual(bits(b[name]))
    waited.close()
    sync.close()
  })

  it.each<[string, CompileOptions, RegExp]>([
    ['an unknown precision', { precision: 'f16' as 'f32' }, /precision cannot be 'f16'/],
    ['an unknown engine', { engine: 'webgpu' as 'js' }, /engine cannot be 'webgpu'/],
    ['no stream', { streams: 0 }, /streams is a count/],
    ['half a stream', { streams: 1.5 }, /streams is a count/],
    ['no thread', { threads: 0 }, /threads is a count/],
  ])('refuse %s', async (_, options, message) => {
    const model = sequential([randomGru(1, 3, 4)])
    await expect(compile(model, options)).rejects.toThrow(message)
    expect(() => compileSync(model, options)).toThrow(message)
  })
})

describe('a program', () => {
  it('takes what a run is given when it is asked for', async () => {
    const model = sequential([randomGru(1, 3, 4)])
    const other = sequential([randomGru(2, 3, 4)])
    for (const program of [await compile(model), compileSync(model)]) {
      const x = randomTensor(5, [2, 7, 3])
      const mask = { shape: [2, 7], data: Float32Array.from({ length: 14 }, (_, i) => i % 3) }
      const expected = bits(program.predict(x, { mask }).y)
      const running = program.predictAsync(x, { mask })
      x.data.fill(0)
      mask.data.fill(0)
      program.setWeights(other)
      program.close()
      expect(bits((await running).y)).toEqual(expected)
    }
  })

  it.each([
    ['other layers', sequential([randomLstm(1, 3, 4)])],
    ['another direction', sequential([randomGru(1, 3, 4, { goBackwards: true })])],
    ['another activation', sequential([randomGru(1, 3, 4, { activation: 'gelu' })])],
    ['another size', sequential([randomGru(1, 3, 5)])],
  ])('refuses weights of a model of %s', async (_, other) => {
    const program = await compile(sequential([randomGru(1, 3, 4)]))
    expect(() => program.setWeights(other)).toThrow(/another shape/)
  })
})
