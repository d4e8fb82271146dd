/** Tests wirings from JSON and from TypeScript. */

import { describe, expect, it } from 'vitest'
import {
  compile,
  compose,
  load,
  type Model,
  type NestedNumbers,
  parseWiring,
  type Wiring,
  type WiringStep,
} from '../../src/index.ts'
import { toTensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { fixture, fixtureJson } from '../support/fixtures.ts'

type Numbers = Readonly<Record<'x' | 'y', NestedNumbers>>

const expected = fixtureJson<Readonly<Record<string, Numbers>>>('pytorch/expected.json')

function wired(name: string, wiring: Wiring): Promise<Model> {
  return load(fixture(`pytorch/${name}`), { name, wiring })
}

async function agrees(name: string, wiring: Wiring): Promise<Model> {
  const { x, y } = expected[name]
  const model = await wired(name, wiring)
  const program = await compile(model, { precision: 'f64' })
  const wanted = toTensor(y, 'expected')
  const actual = program.predict(x).y
  expect(actual.shape).toEqual(wanted.shape)
  // Values of the size of 1, a few dozen additions each of 1e-16.
  wanted.data.forEach((value, i) => {
    expect(Math.abs(actual.data[i] - value), `number ${i}`).toBeLessThanOrEqual(1e-13)
  })
  return model
}

describe('whole networks, as PyTorch computes them', () => {
  it('a layer, its last step, normalisation, two linear layers', async () => {
    const steps = ['gru', 'last', 'bn', 'fc1', 'relu', 'fc2']
    const { nodes, warnings } = await agrees('zip.pt', compose(steps))
    expect(nodes.map(({ kind }) => kind)).toEqual(['gru', 'batchNorm', 'dense', 'dense'])
    expect(warnings).toEqual([expect.stringMatching(/bn:.*epsilon.*1e-5|bn:.*epsilon.*0\.00001/)])
  })

  it('the same from JSON, from a checkpoint, with every step written out', async () => {
    const json = JSON.stringify({
      steps: [
        { module: 'gru' },
        { take: 'final' },
        { module: 'bn', as: 'batchNorm', epsilon: 1e-5 },
        { module: 'fc1', as: 'linear', activation: 'relu' },
        { module: 'fc2' },
      ],
    })
    const { warnings } = await agrees('checkpoint.pt', parseWiring(json, 'wiring.json'))
    expect(warnings.join()).not.toContain('epsilon')
  })

  it('a cell between two linear layers, step by step', async () => {
    const model = await agrees('agent.pt', compose(['fc1', 'relu', 'rnn', 'fc2']))
    const stream = (await compile(model, { precision: 'f64' })).stream()
    const { x, y } = expected['agent.pt'] as unknown as { x: number[][][]; y: number[][][] }
    x[0].forEach((row, t) => {
      stream.input.set(row)
      stream.step()
      stream.output.forEach((value, i) => {
        expect(Math.abs(value - y[0][t][i])).toBeLessThanOrEqual(1e-13)
      })
    })
  })

  it('an embedding, both directions, layer normalisation, log-softmax', async () => {
    const steps: WiringStep[] = [
      { module: 'embedding', as: 'embedding' },
      'lstm',
      'norm',
      'out',
      'log_softmax',
    ]
    const { inputs } = await agrees('words.pt', compose(steps))
    expect(inputs).toEqual([{ name: 'x', shape: ['batch', 'time'] }])
  })
})

describe('taking time away', () => {
  const run = async (...steps: WiringStep[]): Promise<readonly number[]> => {
    const program = await compile(await wired('gru-2-bidirectional.pt', compose(steps)))
    return Array.from(program.predict(expected['gru-2-bidirectional.pt'].x).y.data)
  }
  const sequence = (): number[][][] =>
    expected['gru-2-bidirectional.pt'].y as unknown as number[][][]

  it.each<[string, WiringStep[], (steps: number[][], unit: number) => number]>([
    ['last: the last timestep of both directions', ['gru', 'last'], (rows, u) => rows.at(-1)![u]],
    [
      'final: where each direction ends',
      ['gru', 'final'],
      (rows, u) => (u < 2 ? rows.at(-1)! : rows[0])[u],
    ],
    [
      'mean over time',
      ['gru', 'mean'],
      (rows, u) => rows.reduce((sum, row) => sum + row[u], 0) / rows.length,
    ],
    ['max over time', ['gru', 'max'], (rows, u) => Math.max(...rows.map((row) => row[u]))],
  ])('%s', async (_, steps, value) => {
    const wanted = sequence().flatMap((rows) => [0, 1, 2, 3].map((unit) => value(rows, unit)))
    const actual = await run(...steps)
    expect(actual.length).toBe(wanted.length)
    // float32, values below 1.
    for (const [i, each] of wanted.entries()) expect(Math.abs(actual[i] - each)).toBeLessThan(1e-6)
  })
})

describe('refused', () => {
  it.each<[string, string, WiringStep[], RegExp]>([
    ['a module that is not there', 'zip.pt', ['gru', 'head'], /steps\[1\]: 'head' is neither/],
    ['no module at all', 'zip.pt', ['relu'], /at least one module/],
    ['time taken twice', 'zip.pt', ['gru', 'last', 'mean'], /steps\[2\].*no time any more/],
    ['time taken before anything', 'zip.pt', ['last', 'gru'], /no sequence yet/],
    ['a layer without time', 'zip.pt', ['gru', 'last', 'gru'], /steps\[2\].*takes a sequence/],
    ['final states of a linear layer', 'zip.pt', ['gru', 'fc1', 'final'], /right after it/],
    ['sizes that do not fit', 'zip.pt', ['gru', 'fc2'], /fc2.*got \[batch, time, 4\]/],
    [
      'an activation inside a GRU',
      'zip.pt',
      [{ module: 'gru', activation: 'relu' }],
      /only an nn\.RNN/,
    ],
    ['a matrix that can be two things', 'words.pt', ['embedding'], /linear or an embedding/],
    [
      'a module that is a plain one',
      'zip.pt',
      [{ module: 'fc1', as: 'recurrent' }],
      /fc1|recurrent/,
    ],
    [
      'a normalisation that is none',
      'zip.pt',
      [{ module: 'fc1', as: 'batchNorm' }],
      /no running_mean/,
    ],
    ['an unknown activation', 'zip.pt', ['gru', { activation: 'maxout' }], /maxout/],
  ])('%s', async (_, name, steps, message) => {
    const error = await errorOf(() => wired(name, compose(steps)))
    expect(error.message).toMatch(message)
  })

  it.each<[string, string, RegExp]>([
    ['no JSON', 'gru, last', /w\.json.*not JSON/],
    ['no steps', '{}', /steps.*an array, got nothing/],
    ['empty steps', '[]', /needs steps/],
    ['a misspelt key', '[{ "modul": "gru" }]', /steps\[0\].*no 'modul'/],
    ['two things in one step', '[{ "take": "last", "activation": "relu" }]', /no 'activation'/],
    ['a taking that is none', '[{ "take": "first" }]', /one of last, final, mean, max/],
    ['a kind that is none', '[{ "module": "a", "as": "conv" }]', /recurrent, linear/],
    ['a number', '[7]', /steps\[0\].*an object, got 7/],
    ['a negative epsilon', '[{ "module": "a", "epsilon": -1 }]', /epsilon/],
  ])('JSON with %s', async (_, json, message) => {
    const error = await errorOf(() => parseWiring(json, 'w.json'))
    expect(error.message).toMatch(message)
  })

  it('a module and a wiring at once', async () => {
    const options = { module: 'gru', wiring: compose(['gru']) }
    const error = await errorOf(() => load(fixture('pytorch/zip.pt'), options))
    expect(error.message).toMatch(/names its modules itself/)
  })
})
