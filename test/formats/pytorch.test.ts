/** Tests PyTorch files as models: which modules there are, which one runs, with which conventions. */

import { describe, expect, it } from 'vitest'
import { readZip } from '../../src/bytes/zip/read.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'
import { compile, type LoadOptions, load, type Model, type NestedNumbers } from '../../src/index.ts'
import { toTensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { fixture, fixtureJson } from '../support/fixtures.ts'
import { flipBytes } from '../support/fuzz.ts'

interface Expected {
  readonly x: NestedNumbers
  readonly y: NestedNumbers
  /** h_n, then c_n: [layers·directions, batch, units]. */
  readonly states?: readonly NestedNumbers[]
  readonly gru?: { readonly y: NestedNumbers; readonly states: readonly NestedNumbers[] }
}

const expected = fixtureJson<Readonly<Record<string, Expected>>>('pytorch/expected.json')
const file = (name: string): Uint8Array => fixture(`pytorch/${name}`)

const loadFile = (name: string, options: LoadOptions = {}): Promise<Model> =>
  load(file(name), { name, ...options })

function numbers(nested: NestedNumbers): readonly number[] {
  return Array.from(toTensor(nested, 'expected').data)
}

/** PyTorch computed in float64 with the stored numbers, and printed all digits. */
async function agrees(
  model: Model,
  x: NestedNumbers,
  y: NestedNumbers,
  states: readonly NestedNumbers[] = [],
): Promise<void> {
  const program = await compile(model, { precision: 'f64' })
  const names = program.states.map(({ name }) => name)
  const results = program.predict(x, { outputs: ['y', ...names] })
  close(Array.from(results.y.data), numbers(y))
  states.forEach((state, i) => {
    const own = names.filter((name) => name.endsWith(i === 0 ? '.h' : '.c'))
    close(
      own.flatMap((name) => Array.from(results[name].data)),
      numbers(state),
    )
  })
}

function close(actual: readonly number[], wanted: readonly number[]): void {
  expect(actual.length).toBe(wanted.length)
  // Values below 1 in size, a few dozen additions each of 1e-16.
  for (const [i, value] of wanted.entries())
    expect(Math.abs(actual[i] - value), `number ${i}`).toBeLessThanOrEqual(1e-13)
}

describe('a lone module, with its final states', () => {
  it.each([
    'gru-2-bidirectional.pt',
    'gru-no-bias.pt',
    'gru-one-feature.pt',
    'half.pt',
    'bfloat16.pt',
    'double.pt',
    'lstm.pt',
    'rnn-tanh.pt',
  ])('%s', async (name) => {
    const { x, y, states } = expected[name]
    await agrees(await loadFile(name), x, y, states)
  })

  it.each([
    ['zip.pt', 'PyTorch archive'],
    ['legacy.pt', 'PyTorch file of the old format'],
    ['protocol-4.pt', 'PyTorch archive'],
    ['whole.pt', 'PyTorch archive'],
    ['whole-legacy.pt', 'PyTorch file of the old format'],
    ['scripted.pt', 'TorchScript archive'],
    ['traced.pt', 'TorchScript archive'],
  ])('the same network in %s', async (name, source) => {
    const model = await loadFile(name)
    const { x, gru } = expected['zip.pt']
    expect(model.source).toBe(source)
    expect(model.nodes.map((node) => node.name)).toEqual(['gru'])
    await agrees(model, x, gru!.y, gru!.states)
  })

  it('in a checkpoint: behind DataParallel, beside an optimizer', async () => {
    const { x, gru } = expected['checkpoint.pt']
    const model = await loadFile('checkpoint.pt')
    await agrees(model, x, gru!.y)
    expect(model.warnings.join()).not.toContain('exp_avg')
  })
})

describe('conventions', () => {
  it('a GRU: implied by the format, each of them', async () => {
    const { nodes } = await loadFile('gru-no-bias.pt')
    expect(
      nodes[0].conventions.map(({ key, value, origin }) => `${key} ${value} ${origin}`),
    ).toEqual([
      'gateOrder rzn implied',
      'transposed yes implied',
      'reset after implied',
      'update keeps implied',
      'bias none implied',
      'activation tanh implied',
      'recurrentActivation sigmoid implied',
    ])
  })

  it("an nn.RNN's activation: assumed and said so", async () => {
    const { nodes, warnings } = await loadFile('rnn-tanh.pt')
    expect(nodes[0].conventions).toContainEqual(
      expect.objectContaining({ key: 'activation', value: 'tanh', origin: 'assumed' }),
    )
    expect(warnings).toEqual([expect.stringContaining('tanh is assumed')])
  })

  it('chosen by the caller', async () => {
    const { x, y, states } = expected['rnn-relu.pt']
    const model = await loadFile('rnn-relu.pt', { conventions: { activation: 'relu' } })
    expect(model.warnings).toEqual([])
    await agrees(model, x, y, states)
  })

  it('stated by a whole pickled module', async () => {
    const { x, y, states } = expected['rnn-relu.pt']
    const model = await loadFile('rnn-relu-whole.pt')
    expect(model.nodes[0].conventions).toContainEqual(
      expect.objectContaining({ key: 'activation', value: 'relu', origin: 'stated' }),
    )
    expect(model.warnings).toEqual([])
    await agrees(model, x, y, states)
  })

  it('what a kind of module does not have cannot be set', async () => {
    const error = await errorOf(() => loadFile('lstm.pt', { conventions: { reset: 'before' } }))
    expect(error.message).toMatch(/reset cannot be set.*got an LSTM/)
  })
})

describe('which module', () => {
  it('several: all are listed with their shapes, and none runs by itself', async () => {
    const error = await errorOf(() => loadFile('two.pt'))
    expect(error.code).toBe('bad-argument')
    expect(error.message).toMatch(/encoder: GRU, 3 → 2; decoder: GRU, 2 → 3\. .*--module/)
  })

  it('one of several, by name', async () => {
    const { nodes, warnings } = await loadFile('two.pt', { module: 'decoder' })
    expect(nodes).toMatchObject([{ kind: 'gru', name: 'decoder', features: 2, units: 3 }])
    expect(warnings).toEqual([expect.stringMatching(/is not a model.*encoder: GRU, 3 → 2/)])
  })

  it.each(['gru', 'model_state_dict.module.gru'])('%s in a checkpoint', async (module) => {
    expect((await loadFile('checkpoint.pt', { module })).nodes[0].name).toBe('gru')
  })

  it.each<[string, LoadOptions, RegExp]>([
    ['two.pt', { module: 'attention' }, /no module 'attention'.*encoder: GRU/],
    ['zip.pt', { module: 'fc1' }, /'fc1' is not recurrent.*gru: GRU.*fc1: weight \[5, 4\]/],
    ['tensors.pt', {}, /no recurrent module.*base \[4, 6\]/],
    ['lstm-projected.pt', {}, /projections/],
    ['hidden-norm.pt', {}, /stored in parts.*weight_hh_l0_g.*remove_weight_norm/],
    ['hidden-parametrised.pt', {}, /stored in parts.*remove_parametrizations/],
    ['hidden-pruned.pt', {}, /stored in parts.*prune\.remove/],
    ['hidden-quantised.pt', {}, /quantised.*before quantize_dynamic/],
    ['hidden-frozen.pt', {}, /frozen.*before torch\.jit\.freeze/],
    ['zip.pt', { names: { w: 'a', u: 'b' } }, /names cannot be set/],
    ['plain.pkl', {}, /no file of torch\.save/],
  ])('refused: %s with %o', async (name, options, message) => {
    const error = await errorOf(() => loadFile(name, options))
    expect(error.message).toMatch(message)
  })

  it('a stack with a layer missing', async () => {
    const inputs: { name: string; bytes: Uint8Array }[] = []
    for (const [name, entry] of await readZip(file('rnn-tanh.pt'))) {
      const bytes = await entry.read()
      const text = String.fromCharCode(...(name.endsWith('.pkl') ? bytes : []))
      for (const at of text.matchAll(/_l1/g)) bytes[at.index + 2] = '3'.charCodeAt(0)
      inputs.push({ name, bytes })
    }
    const error = await errorOf(async () => load(await writeZip(inputs)))
    expect(error.message).toMatch(/a layer 3.*expected weight_ih_l1/)
  })

  it('a module of another kind of file', async () => {
    const json = new TextEncoder().encode('{"w": [[1]]}')
    const error = await errorOf(() => load(json, { module: 'gru' }))
    expect(error.message).toMatch(/module cannot be set/)
  })
})

describe('hostile files', () => {
  it.each(['legacy.pt', 'agent.pt', 'whole-legacy.pt'])(
    '%s, changed: only GruvErrors',
    async (name) => {
      await flipBytes(file(name), (bytes) => load(bytes, { module: 'gru' }), {
        runs: 1000,
        seed: 8,
      })
    },
  )
})
