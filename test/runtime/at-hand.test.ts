/** Programs of plain models are those that everything would give: a page lacks nothing it needs. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompileOptions, compile, compileSync, type RunOptions } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { dense, type GruOptions, type Model, sequential } from '../../src/model/index.ts'
import type { LayerNode, Port } from '../../src/model/types.ts'
import { allTools } from '../../src/runtime/all.ts'
import { isAtHand, lacking, toolkitAtHand } from '../../src/runtime/at-hand.ts'
import { plan } from '../../src/runtime/plan.ts'
import type { Toolkit } from '../../src/runtime/toolkit.ts'
import { emit } from '../../src/runtime/wasm/emit.ts'
import { bits, bothWays, encoderDecoder } from '../support/engines.ts'
import { random, randomGru, randomLstm, tensor } from '../support/random.ts'

const options: readonly Partial<GruOptions>[] = (['after', 'before'] as const).flatMap((reset) =>
  (['keeps', 'updates'] as const).flatMap((update) =>
    ['tanh', 'relu', 'linear', 'sigmoid'].map((activation) => ({ reset, update, activation })),
  ),
)

const head = (activation: string, features = 6): ReturnType<typeof dense> =>
  dense({ kernel: tensor(random(3), [features, 5]), activation })

const models: readonly Model[] = [
  ...options.map((each) => sequential([randomGru(1, 3, 6, each), head('sigmoid')])),
  sequential([randomGru(1, 3, 6, { clip: 2, returnSequences: false })]),
  ...['linear', 'softmax', 'tanh', 'relu'].map((kind) =>
    sequential([randomGru(2, 4, 6), head(kind)]),
  ),
  // Several pieces at once.
  sequential([randomGru(3, 17, 34), head('softmax', 34)]),
  sequential([randomGru(3, 17, 34, { reset: 'before' }), head('softmax', 34)]),
  // Several panels, loops of every length, and what is left of them.
  ...[
    [1, 1],
    [17, 34],
    [70, 67],
  ].map(([features, units]) => sequential([randomGru(3, features, units), head('relu', units)])),
]

/** Those at hand, with the pieces that they lack for the model. */
async function toolsFor(model: Model, tools = toolkitAtHand): Promise<Toolkit> {
  const piece = await lacking(tools, model)?.()
  return piece === undefined ? tools : toolsFor(model, piece.add(tools))
}

/** What code is written for: V8 before 13.5, and since. */
const targets = [
  { vectors: 2, pairVectors: 1, unroll: 1, constants: 'code' },
  { vectors: 4, pairVectors: 1, unroll: 4, constants: 'memory' },
  { vectors: 4, pairVectors: 2, unroll: 4, constants: 'memory' },
] as const

/** Any chain: layers over the steps, then some over the last one, and outputs from anywhere. */
const chains = fc
  .record({
    overSteps: fc.array(fc.constantFrom('gru', 'dense'), { maxLength: 4 }),
    last: fc.constantFrom(null, 'last', 'state'),
    after: fc.nat({ max: 3 }),
    features: fc.integer({ min: 1, max: 6 }),
    unread: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({ overSteps, last, after, features, unread, seed }) => {
    const next = random(seed)
    const kinds = [...overSteps, ...(last === null ? [] : ['gru']), ...Array(after).fill('dense')]
    const values = ['x']
    let [width, value] = [features, 'x']
    const nodes = (kinds.length === 0 ? ['gru'] : kinds).map((kind, i): LayerNode => {
      const units = 1 + Math.floor(next() * 7)
      const layer =
        kind === 'gru'
          ? randomGru(i, width, units)
          : dense({ kernel: tensor(next, [width, units]), activation: 'tanh' })
      const [node] = sequential([layer]).nodes
      const port =
        kind === 'dense' ? 'y' : last !== null && i === overSteps.length ? last : 'sequence'
      const name = `layer ${i}`
      // A layer may be asked for more than the next one reads.
      const ports = unread && kind === 'gru' ? ['state', 'last', 'sequence'] : [port]
      const outputs = Object.fromEntries(ports.map((each) => [each, `${name}: ${each}`]))
      const made = { ...node, name, inputs: { x: value }, outputs } as LayerNode
      values.push(...Object.values(outputs))
      value = outputs[port]
      width = units
      return made
    })
    const some = values.filter((each) => each === value || next() < 0.3)
    return createModel({
      name: 'chain',
      source: 'test',
      inputs: [{ name: 'x', shape: ['batch', 'time', features] }],
      outputs: some.map((each) => ({ name: each, value: each })),
      nodes,
    })
  })

/** A graph of these nodes, and what the last one makes. */
function graph(inputs: readonly Port[], nodes: readonly LayerNode[]): Model {
  const value = Object.values(nodes.at(-1)!.outputs)[0]
  return createModel({ name: 'g', source: 'test', inputs, outputs: [{ name: 'y', value }], nodes })
}

const [node] = sequential([randomGru(1, 3, 4)]).nodes
const x: Port = { name: 'x', shape: ['batch', 'time', 3] }
const reading = (inputs: Record<string, string>, sequence = 'y'): LayerNode =>
  ({ ...node, name: sequence, inputs, outputs: { sequence } }) as LayerNode

const backward = { ...reading({ x: 'x' }), direction: 'backward' } as LayerNode

describe('the toolkit at hand', () => {
  it.each(models.map((model, i) => [i, model] as const))(
    'model %i: the same plan and code',
    async (_, model) => {
      const settings = { precision: 'f32', streams: 2 } as const
      expect(isAtHand(model, settings)).toBe(true)
      const tools = await toolsFor(model)
      const planned = plan(model, settings, tools)
      expect(planned).toEqual(plan(model, settings, allTools))
      for (const fused of [true, false]) {
        for (const each of targets) {
          const target = { fused, ...each }
          for (const purpose of ['step', 'block', 'all'] as const) {
            expect(emit(planned, target, tools.writing, purpose)).toEqual(
              emit(planned, target, allTools.writing, purpose),
            )
          }
        }
      }
    },
  )

  it.each(models.map((model, i) => [i, model] as const))(
    'model %i: `compile` fetches what it needs, and gives the same bits',
    async (i, model) => {
      const [{ shape }] = model.inputs
      const x = tensor(random(i), [3, 35, Number(shape[2])])
      const [mine, all] = [
        await compile(model, { deterministic: true }),
        compileSync(model, { deterministic: true }),
      ]
      expect(mine.engine).toEqual(all.engine)
      expect(bits(mine.predict(x).y)).toEqual(bits(all.predict(x).y))
    },
  )

  it('any chain: the same plan', () => {
    const settings = { precision: 'f32', streams: 1 } as const
    fc.assert(
      fc.property(chains, (model) => {
        expect(isAtHand(model, settings)).toBe(true)
        const [mine, all] = [toolkitAtHand, allTools].map((each) => plan(model, settings, each))
        expect(mine).toEqual(all)
        expect(JSON.stringify(mine)).toBe(JSON.stringify(all))
      }),
      { numRuns: 300, seed: 20261127 },
    )
  })

  it('any chain: the same bits of every value and state, with masks, lengths and given states', async () => {
    const runs = fc.record({
      batch: fc.integer({ min: 1, max: 18 }),
      // Around the chunk of 32 steps.
      steps: fc.integer({ min: 1, max: 66 }),
      how: fc.constantFrom('whole', 'mask', 'lengths'),
      maskedOutput: fc.constantFrom('repeat', 'zero', 'state'),
      start: fc.constantFrom('zeros', 'one for all', 'one for each'),
      seed: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(chains, runs, async (chain, { batch, steps, how, start, ...more }) => {
        const next = random(more.seed)
        const { maskedOutput } = more
        const model = createModel({
          ...chain,
          nodes: chain.nodes.map((each) =>
            each.kind === 'gru' ? { ...each, maskedOutput } : each,
          ),
        })
        const settings = { deterministic: true } as const
        const [mine, all] = [await compile(model, settings), compileSync(model, settings)]
        const states = mine.states.map(({ name, size }) => [
          name,
          tensor(next, start === 'one for all' ? [size] : [batch, size]),
        ])
        const counts = tensor(next, [batch, steps]).data.map((value) => Number(value > 0))
        const options: RunOptions = {
          outputs: [...mine.outputs, ...mine.states].map(({ name }) => name),
          ...(how === 'mask' && { mask: { shape: [batch, steps], data: counts } }),
          ...(how === 'lengths' && {
            lengths: Array.from({ length: batch }, () => Math.floor(next() * (steps + 1))),
          }),
          ...(start !== 'zeros' && { initialState: Object.fromEntries(states) }),
        }
        const x = tensor(next, [batch, steps, Number(model.inputs[0].shape[2])])
        const [a, b] = [mine, all].map((program) => program.predict(x, options))
        expect(Object.keys(a)).toEqual(options.outputs)
        for (const name of Object.keys(a)) {
          expect(a[name].shape).toEqual(b[name].shape)
          expect(bits(a[name]), name).toEqual(bits(b[name]))
        }
      }),
      { numRuns: 60, seed: 20261127 },
    )
  })

  it('the same bits, whole and step by step, with masks and lengths', async () => {
    const model = sequential([
      randomGru(1, 3, 6),
      randomGru(2, 6, 5, { maskedOutput: 'zero' }),
      head('softmax', 5),
    ])
    const settings = { deterministic: true } as const
    const [mine, all] = [await compile(model, settings), compileSync(model, settings)]
    const x = tensor(random(4), [3, 40, 3])
    const mask = Array.from({ length: 3 }, (_, row) =>
      Array.from({ length: 40 }, (_, t) => (t + row) % 5 > 1),
    )
    for (const masks of [{}, { mask }, { lengths: [0, 17, 40] }])
      expect(bits(mine.predict(x, masks).y)).toEqual(bits(all.predict(x, masks).y))
    const streams = [mine, all].map((program) => program.stream())
    for (let t = 0; t < 4; t++) {
      const [a, b] = streams.map((stream) => {
        stream.input.set(x.data.subarray(3 * t, 3 * t + 3))
        stream.step()
        return bits({ data: stream.output })
      })
      expect(a).toEqual(b)
    }
  })

  it.each<[string, Model, 'f32' | 'f64']>([
    ['another layer', sequential([randomLstm(1, 3, 4)]), 'f32'],
    ['a merge', sequential([bothWays(3, 4)]), 'f32'],
    ['another activation', sequential([randomGru(1, 3, 4, { activation: 'gelu' })]), 'f32'],
    [
      'another activation of the gates',
      sequential([randomGru(1, 3, 4, { recurrentActivation: 'hard_sigmoid' })]),
      'f32',
    ],
    ['float64', sequential([randomGru(1, 3, 4)]), 'f64'],
    ['backward', graph([x], [backward]), 'f32'],
    [
      'a state that the layer before computes',
      graph(
        [x],
        [
          { ...reading({ x: 'x' }), outputs: { sequence: 'y', state: 'h' } } as LayerNode,
          {
            ...sequential([randomGru(1, 4, 4)]).nodes[0],
            name: 'second',
            inputs: { x: 'y', initialState: 'h' },
            outputs: { sequence: 'z' },
          } as LayerNode,
        ],
      ),
      'f32',
    ],
    ['a state that another layer computes', encoderDecoder(), 'f32'],
    [
      'a state that an input says',
      graph([x, { name: 'h', shape: ['batch', 4] }], [reading({ x: 'x', initialState: 'h' })]),
      'f32',
    ],
    [
      'a mask that an input says',
      graph([x, { name: 'mask', shape: ['batch', 'time'] }], [reading({ x: 'x', mask: 'mask' })]),
      'f32',
    ],
    ['two inputs', graph([x, { ...x, name: 'other' }], [reading({ x: 'x' })]), 'f32'],
    ['layers side by side', graph([x], [reading({ x: 'x' }, 'other'), reading({ x: 'x' })]), 'f32'],
    [
      'time first',
      graph([{ name: 'x', shape: ['time', 'batch', 3], axes: [1, 0, 2] }], [reading({ x: 'x' })]),
      'f32',
    ],
    [
      'an output in another order',
      createModel({
        name: 'g',
        source: 'test',
        inputs: [x],
        outputs: [{ name: 'y', value: 'y', axes: [1, 0, 2] }],
        nodes: [reading({ x: 'x' })],
      }),
      'f32',
    ],
    [
      'other symbols',
      graph([{ name: 'x', shape: ['rows', 'n', 3] }], [reading({ x: 'x' })]),
      'f32',
    ],
    [
      'a fixed length',
      graph([{ name: 'x', shape: ['batch', 9, 3] }], [reading({ x: 'x' })]),
      'f32',
    ],
    [
      'vectors',
      createModel({
        name: 'vectors',
        source: 'test',
        inputs: [{ name: 'x', shape: ['batch', 6] }],
        outputs: [{ name: 'y', value: 'y' }],
        nodes: [
          {
            ...sequential([head('tanh')]).nodes[0],
            inputs: { x: 'x' },
            outputs: { y: 'y' },
          } as LayerNode,
        ],
      }),
      'f32',
    ],
  ])('%s takes everything', (_, model, precision) => {
    expect(isAtHand(model, { precision })).toBe(false)
  })

  it.each<[string, CompileOptions, RegExp | null]>([
    ['several streams', { streams: 3 }, null],
    ['nothing but WebAssembly', { engine: 'wasm' }, null],
    ['the same bits everywhere', { deterministic: true }, null],
    ['JavaScript', { engine: 'js' }, null],
    ['threads', { threads: 2 }, null],
    ['an unknown precision', { precision: 'f16' as 'f32' }, /precision cannot be 'f16'/],
    ['an unknown engine', { engine: 'webgpu' as 'js' }, /engine cannot be 'webgpu'/],
    ['no stream', { streams: 0 }, /streams is a count/],
    ['half a stream', { streams: 1.5 }, /streams is a count/],
    ['no thread', { threads: 0 }, /threads is a count/],
  ])('options that ask for %s', async (_, options, wrong) => {
    const model = sequential([randomGru(1, 3, 4)])
    if (wrong !== null) {
      await expect(compile(model, options)).rejects.toThrow(wrong)
      expect(() => compileSync(model, options)).toThrow(wrong)
      return
    }
    const [mine, all] = [await compile(model, options), compileSync(model, options)]
    expect(mine.engine).toEqual(all.engine)
    expect(mine.plan).toEqual(all.plan)
    mine.close()
    all.close()
  })

  it('takes what a run is given when it is asked for', async () => {
    const model = sequential([randomGru(1, 3, 4)])
    const other = sequential([randomGru(2, 3, 4)])
    for (const program of [await compile(model), compileSync(model)]) {
      const x = tensor(random(5), [2, 7, 3])
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
    ['another direction', graph([x], [backward])],
    ['another activation', sequential([randomGru(1, 3, 4, { activation: 'gelu' })])],
    ['another size', sequential([randomGru(1, 3, 5)])],
  ])('weights of a model of %s are refused', async (_, other) => {
    const program = await compile(sequential([randomGru(1, 3, 4)]))
    expect(() => program.setWeights(other)).toThrow(/another shape/)
  })
})
