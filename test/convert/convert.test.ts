/** Conversions prove themselves, give the same bits back, and refuse what a format cannot hold. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readNpz } from '../../src/bytes/numpy/npz.ts'
import { convert } from '../../src/convert/index.ts'
import { compileSync, type GruvError, load } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { dense, gru, sequential } from '../../src/model/index.ts'
import type { LayerNode, Model } from '../../src/model/types.ts'
import { weightsOf } from '../../src/model/weights.ts'
import { errorOf } from '../support/errors.ts'
import { random, randomArrays, tensor } from '../support/random.ts'
import { type ModelName, models } from './models.ts'

const endings = ['.safetensors', '.npz', '.onnx', '.json', '.keras', '.weights.h5'] as const
type Ending = (typeof endings)[number]

/** What each format cannot hold, by model; it holds everything else. */
const refused: Readonly<Record<Ending, Readonly<Partial<Record<ModelName, RegExp>>>>> = {
  '.safetensors': {},
  '.npz': {
    stack: /one GRU layer; got gru, lstm, dense, dense/,
    lstmTwoBiases: /one GRU layer/,
    last: /one GRU layer/,
    rnn: /one GRU layer/,
    bidirectional: /one GRU layer/,
    backward: /runs backward/,
    peepholes: /one GRU layer/,
    residual: /one GRU layer/,
  },
  '.onnx': {},
  '.json': {
    resetBefore: /gru: RTNeural cannot hold a reset before the recurrent product/,
    hardSigmoid: /other activations than sigmoid and tanh/,
    last: /the last step alone/,
    rnn: /cannot hold this layer; got rnn/,
    bidirectional: /cannot hold a graph that is no chain|runs backward/,
    backward: /runs backward/,
    peepholes: /peepholes/,
  },
  '.keras': {
    hardSigmoid: /hard_sigmoid with a slope of 0\.2/,
    peepholes: /peepholes/,
  },
  '.weights.h5': {
    hardSigmoid: /hard_sigmoid with a slope of 0\.2/,
    peepholes: /peepholes/,
  },
}

/** Formats that sum two biases or change a sign, so that their numbers differ. */
const otherNumbers: Readonly<Partial<Record<Ending, readonly ModelName[]>>> = {
  '.onnx': ['merged', 'updates'],
  '.json': ['merged', 'updates', 'lstmTwoBiases'],
  '.keras': ['merged', 'updates', 'lstmTwoBiases'],
  '.weights.h5': ['merged', 'updates', 'lstmTwoBiases'],
}

const cases = endings.flatMap((ending) =>
  (Object.keys(models) as ModelName[]).map((name) => [name, ending] as const),
)

describe('every model in every format', () => {
  it.each(cases)('%s as %s', async (name, ending) => {
    const model = models[name]
    const message = refused[ending][name]
    if (message !== undefined) {
      const error = await errorOf(() => convert(model, `m${ending}`))
      expect(error.code).toBe('unsupported')
      expect(error.message).toMatch(message)
      return
    }
    const { pass, outputs, sameNumbers, bytes, notes } = await convert(model, `m${ending}`)
    const [proof] = Object.values(outputs)
    expect(pass).toBe(true)
    // Summing two biases rounds, and only where the format has float32.
    const summed = name === 'merged' || name === 'lstmTwoBiases'
    expect(proof.maxAbsolute).toBeLessThanOrEqual(summed ? 1e-6 : 1e-12)
    expect(proof.scale).toBeGreaterThan(0.05)
    const changes = otherNumbers[ending]?.includes(name) ?? false
    expect(sameNumbers).toBe(!changes)
    if (changes) expect(notes.length).toBeGreaterThan(0)
    // The same model gives the same bytes.
    expect((await convert(model, `m${ending}`)).bytes).toEqual(bytes)
  })
})

/** By layer; without zeros, which some formats write where others have nothing. */
function numbersOf(model: Model): readonly (readonly number[])[] {
  return model.nodes.map((node) =>
    Object.entries(weightsOf(node))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { data }]) => Array.from(data).filter(Boolean)),
  )
}

describe('round trips', () => {
  it.each(['.safetensors', '.npz', '.onnx', '.json', '.keras'])(
    'a GRU through %s and back has the same bits in the same places',
    async (ending) => {
      const { bytes } = await convert(models.gru, `m${ending}`)
      expect(numbersOf(await load(bytes))).toEqual(numbersOf(models.gru))
    },
  )

  it.each(['.safetensors', '.onnx', '.json', '.keras'])('a network through %s', async (ending) => {
    const { bytes } = await convert(models.stack, `m${ending}`)
    expect(numbersOf(await load(bytes))).toEqual(numbersOf(models.stack))
  })

  it('float64 stays float64 where the format has it, and is said to be rounded elsewhere', async () => {
    const kernel = { shape: [1, 1], data: Float64Array.of(Math.PI) }
    const model = sequential([dense({ kernel })])
    for (const ending of ['.safetensors', '.json']) {
      const back = await load((await convert(model, `m${ending}`)).bytes)
      expect(numbersOf(back)[0][0]).toBe(Math.PI)
    }
    for (const ending of ['.onnx', '.keras']) {
      const { bytes, notes, pass, sameNumbers } = await convert(model, `m${ending}`)
      expect([pass, sameNumbers]).toEqual([true, false])
      expect(notes.join()).toMatch(/float64, and float32 in the file/)
      expect(numbersOf(await load(bytes))[0][0]).toBe(Math.fround(Math.PI))
    }
  })

  it('the example through all formats that hold it', async () => {
    const original = await load('examples/seattle-weather/layer.npz')
    let model = original
    for (const ending of ['.json', '.keras', '.onnx', '.safetensors', '.npz'])
      model = await load((await convert(model, `m${ending}`)).bytes)
    expect(numbersOf(model)).toEqual(numbersOf(original))
  })
})

describe('notes and errors', () => {
  it('an .npz of unusual conventions names what its reader must be told', async () => {
    const { bytes, notes } = await convert(models.updates, 'm.npz')
    expect(notes.join()).toMatch(/has to be told: update updates/)
    expect(Object.keys(await readNpz(bytes))).toEqual(['kernel', 'recurrent_kernel', 'bias'])
  })

  it('ONNX states linear_before_reset in either case', async () => {
    for (const [name, reset] of [
      ['gru', 'after'],
      ['resetBefore', 'before'],
    ] as const) {
      const { nodes } = await load((await convert(models[name], 'm.onnx')).bytes)
      const { value, origin, why } = nodes[0].conventions.find(({ key }) => key === 'reset')!
      expect([value, origin]).toEqual([reset, 'stated'])
      expect(why).toMatch(reset === 'after' ? /is 1/ : /is 0/)
    }
  })

  it('a residual connection becomes in_skip, and RTNeural is said to pass over it', async () => {
    const { bytes, notes } = await convert(models.residual, 'm.json')
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ in_skip: 1 })
    expect(notes.join('; ')).toMatch(/in_skip.*RTNeural alone passes over it.*no batches/)
  })

  it('an unknown ending', async () => {
    const error = await errorOf(() => convert(models.gru, 'model.h5'))
    expect(error).toMatchObject({ code: 'bad-argument', where: 'model.h5' })
    expect(error.expected).toContain('.weights.h5')
  })
})

describe('storage and reference data', () => {
  const next = random(9)
  const x = tensor(next, [2, 11, 3])
  // Large enough that a file is its weights rather than its header: each number that int8 scales
  // a column by costs more there than a column of few weights saves.
  const model = sequential([gru(randomArrays(9, 3, 24, 3))])
  const { y } = compileSync(model, { precision: 'f64' }).predict({ x })
  const reference = { inputs: { x }, outputs: { y } }

  it('reference data go into the file and are checked when it is loaded', async () => {
    const { bytes, ranOn, reference: off } = await convert(model, 'm.safetensors', { reference })
    expect([ranOn, off]).toEqual(['the reference data', { y: 0 }])
    expect((await load(bytes, { verify: true })).reference?.outputs.y.data).toEqual(y.data)
  })

  it.each([
    ['f16', 2e-3],
    ['bf16', 2e-2],
    ['int8', 2e-2],
  ] as const)(
    '%s: what it costs is measured, and the file proves itself',
    async (storage, most) => {
      const options = { reference, storage }
      const { bytes, pass, reference: off, notes } = await convert(model, 'm.safetensors', options)
      expect(pass).toBe(true)
      expect(off?.y).toBeGreaterThan(most / 1000)
      expect(off?.y).toBeLessThan(most)
      expect(notes.join()).toMatch(/those of the rounded numbers/)
      await expect(load(bytes, { verify: true })).resolves.toBeDefined()
      const plain = await convert(model, 'm.safetensors', { reference })
      expect(bytes.length).toBeLessThan(plain.bytes.length)
    },
  )

  it('data of another model are refused', async () => {
    const wrong = { inputs: { x }, outputs: { y: { ...y, data: y.data.map((v) => v + 0.1) } } }
    const error = await errorOf(() => convert(model, 'm.safetensors', { reference: wrong }))
    expect(error).toMatchObject({ code: 'differs', where: 'output y' })
  })

  it.each([
    [{ storage: 'f16' as const }, /gruv models only/],
    [{ reference }, /only a gruv model holds reference data/],
  ])('only gruv models have them', async (options, message) => {
    const error: GruvError = await errorOf(() => convert(model, 'm.onnx', options))
    expect(error.message).toMatch(message)
  })

  it('reference data that stay behind are noted', async () => {
    const with_ = createModel({ ...model, reference })
    const { notes, ranOn } = await convert(with_, 'm.onnx')
    expect([notes, ranOn]).toEqual([['the reference data stays behind'], 'the reference data'])
  })
})

describe('ONNX golden', () => {
  // tools/check_onnx_golden.py runs Debian's onnx.checker on it.
  it('is what is written today', async () => {
    const golden = new Uint8Array(readFileSync('test/fixtures/convert/stack.onnx'))
    expect((await convert(models.stack, 'stack.onnx')).bytes).toEqual(golden)
  })
})

describe('axes of ports', () => {
  it.each(['guitarml-lstm.json', 'guitarml-gru.json', 'recnet.json'])(
    '%s keeps its steps outermost in ONNX, and streams when it is read back',
    async (name) => {
      const file = new URL(`../fixtures/audio/${name}`, import.meta.url)
      const { pass, bytes } = await convert(await load(readFileSync(file)), 'm.onnx')
      expect(pass).toBe(true)
      const back = await load({ 'm.onnx': bytes })
      expect(back.inputs[0]).toMatchObject({ axes: [1, 0, 2] })
      expect(back.outputs[0]).toMatchObject({ axes: [1, 0, 2] })
      compileSync(back).stream().step()
    },
  )
})

describe('convolutions in Keras', () => {
  const next = random(60)
  const kernel = tensor(next, [3, 2, 4])
  const bias = tensor(next, [4])
  const recurrent = gru({ ...randomArrays(61, 4, 5, 3), name: 'gru' })
  const around = (stride: number, dilation: number, before: number, after: number): Model => {
    const { inputs, nodes, outputs } = sequential([recurrent])
    const conv: LayerNode = {
      kind: 'conv1d',
      name: 'conv',
      features: 2,
      units: 4,
      size: 3,
      stride,
      dilation,
      groups: 1,
      padding: { before, after },
      activation: { kind: 'linear', parameters: [] },
      weights: { kernel, bias },
      inputs: { x: 'signal' },
      outputs: { y: inputs[0].name },
      conventions: [],
    }
    return createModel({
      name: 'conv',
      source: 'test',
      inputs: [{ name: 'signal', shape: ['batch', 'time', 2] }],
      outputs,
      nodes: [conv, ...nodes],
    })
  }

  it.each([
    ['as same', 1, 1, 1, 1, ['conv1d', 'gru']],
    ['as same, dilated', 1, 2, 2, 2, ['conv1d', 'gru']],
    ['as causal', 1, 2, 4, 0, ['conv1d', 'gru']],
    ['as valid', 2, 1, 0, 0, ['conv1d', 'gru']],
    // With a stride of 2, the padding of `same` depends on the number of steps.
    ['after zeros, with a stride', 2, 1, 1, 1, ['pad', 'conv1d', 'gru']],
    ['after zeros that no word says', 1, 1, 3, 1, ['pad', 'conv1d', 'gru']],
    ['after zeros at the end', 1, 1, 0, 2, ['pad', 'conv1d', 'gru']],
  ])('%s', async (_, stride, dilation, before, after, kinds) => {
    const { pass, bytes } = await convert(around(stride, dilation, before, after), 'm.keras')
    expect(pass).toBe(true)
    const back = await load(bytes)
    expect(back.nodes.map(({ kind }) => kind)).toEqual(kinds)
    const [conv] = back.nodes.filter(({ kind }) => kind === 'conv1d')
    expect(weightsOf(conv).kernel.data).toEqual(kernel.data)
    expect((await convert(back, 'm.keras')).sameNumbers).toBe(true)
  })

  it('no padding that cuts steps off', async () => {
    const error = await errorOf(() => convert(around(1, 1, -1, 1), 'm.keras'))
    expect(error.message).toMatch(/Keras cannot hold a padding that cuts/)
  })
})
