/** ∂y/∂x of whole models against central differences of the reference. */

import { describe, expect, it } from 'vitest'
import { activation } from '../../src/model/activation/activations.ts'
import type { GraphParts } from '../../src/model/graph.ts'
import { createModel } from '../../src/model/graph.ts'
import {
  bidirectional,
  dense,
  type LayerNode,
  type Model,
  sequential,
} from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { inputJacobian } from '../../src/trace/index.ts'
import { expectDifferences } from '../support/differences.ts'
import { thrownBy } from '../support/errors.ts'
import {
  random,
  randomArrays,
  randomGru,
  randomLstm,
  randomRnn,
  randomTensor,
} from '../support/random.ts'

const [rows, features, units, steps] = [2, 3, 4, 6]
const next = random(1)
const x: Tensor = {
  shape: [rows, steps, features],
  data: Float64Array.from({ length: rows * steps * features }, () => 2 * next() - 1),
}

const head = (inputs: number, outputs: number, name = 'softmax') => {
  const arrays = randomArrays(40, inputs, outputs, 1)
  return dense({ kernel: arrays.kernel, bias: [0.1, -0.2].slice(0, outputs), activation: name })
}

describe('models', () => {
  const arrays = randomArrays(3, features, units, 3)
  it.each<readonly [string, Model]>([
    ['a GRU', sequential([randomGru(2, features, units)])],
    ['an LSTM and a head', sequential([randomLstm(2, features, units), head(units, 2)])],
    [
      'the last step of an RNN',
      sequential([
        randomRnn(2, features, units, { returnSequences: false }),
        head(units, 2, 'gelu'),
      ]),
    ],
    [
      'both directions, a stack, softmax',
      sequential([
        bidirectional({ forward: arrays, backward: arrays, merge: 'mul' }),
        randomGru(5, units, units, { reset: 'before', update: 'updates' }),
        randomLstm(6, units, units, { goBackwards: true, returnSequences: false }),
        head(units, 2),
      ]),
    ],
  ])('%s: central differences to 1e-6', (_, model) => {
    expectDifferences(x, model, 0)
    expectDifferences(x, model, 1)
  })

  it('at a step in the middle, nothing depends on what comes later', () => {
    const model = sequential([randomGru(2, features, units)])
    const { data } = expectDifferences(x, model, 0, { at: 2, units: [3] })
    expect(data.subarray(0, 3 * features).every((each) => each !== 0)).toBe(true)
    expect(data.subarray(3 * features).every((each) => each === 0)).toBe(true)
  })

  it('with a mask, lengths or an initial state', () => {
    const model = sequential([randomLstm(2, features, units), randomGru(3, units, units)])
    const mask = [
      [1, 0, 1, 1, 0, 0],
      [0, 0, 1, 1, 1, 0],
    ]
    for (const row of [0, 1]) {
      expectDifferences(x, model, row, {}, { mask })
      expectDifferences(x, model, row, {}, { lengths: [4, 6] })
      const initialState = { 'gru.h': randomTensor(4, [rows, units]) }
      expectDifferences(x, model, row, {}, { initialState })
    }
  })
})

const base = (name: string, from: string) => ({
  name,
  inputs: { x: from },
  outputs: { y: `${name}.y` },
  conventions: [],
})
const positive = (seed: number): Tensor => {
  const { data } = randomTensor(seed, [features])
  return { shape: [features], data: data.map((each) => 1.5 + each) }
}

/** x → the layer → y */
function around(node: LayerNode, more: readonly LayerNode[] = []): Model {
  const parts: GraphParts = {
    name: 'one',
    source: 'test',
    inputs: [{ name: 'x', shape: ['batch', 'time', features] }],
    outputs: [{ name: 'y', value: node.outputs.y }],
    nodes: [...more, node],
  }
  return createModel(parts)
}

const layers: readonly LayerNode[] = [
  { ...base('activation', 'x'), kind: 'activation', activation: activation('mish') },
  { ...base('softmax', 'x'), kind: 'activation', activation: activation('softmax') },
  { ...base('prelu', 'x'), kind: 'prelu', weights: { alpha: randomTensor(2, [features]) } },
  {
    ...base('affine', 'x'),
    kind: 'affine',
    weights: { scale: randomTensor(2, [1]), shift: randomTensor(3, [features]) },
  },
  { ...base('masking', 'x'), kind: 'masking', value: 0 },
  {
    ...base('batchNorm', 'x'),
    kind: 'batchNorm',
    epsilon: 1e-3,
    weights: {
      gamma: randomTensor(2, [features]),
      beta: null,
      mean: randomTensor(3, [features]),
      variance: positive(4),
    },
  },
  {
    ...base('layerNorm', 'x'),
    kind: 'layerNorm',
    epsilon: 1e-3,
    axes: 1,
    weights: { gamma: randomTensor(2, [features]), beta: randomTensor(3, [features]) },
  },
  ...([{ before: 4, after: 0 }, { before: 1, after: 2 }, 'same'] as const).map(
    (padding): LayerNode => ({
      ...base(`conv1d ${JSON.stringify(padding)}`, 'x'),
      kind: 'conv1d',
      features,
      units: 6,
      size: 3,
      stride: padding === 'same' ? 2 : 1,
      dilation: padding === 'same' ? 1 : 2,
      groups: padding === 'same' ? 3 : 1,
      padding,
      activation: activation(padding === 'same' ? 'softmax' : 'tanh'),
      weights: {
        kernel: randomTensor(2, [3, padding === 'same' ? 1 : features, 6]),
        bias: randomTensor(3, [6]),
      },
    }),
  ),
  { ...base('reverse', 'x'), kind: 'reverse' },
]

describe('layers without a state', () => {
  it.each(layers.map((node) => [node.name, node] as const))('%s', (_, node) => {
    expectDifferences(x, around(node), 1, { at: 1 })
  })

  it.each([
    'concatenate',
    'add',
    'subtract',
    'multiply',
    'divide',
    'average',
    'maximum',
    'minimum',
  ] as const)('merge: %s, of x and of what is made of x', (mode) => {
    const other: LayerNode = {
      ...base('other', 'x'),
      kind: 'activation',
      activation: activation('exponential'),
    }
    const merge: LayerNode = {
      ...base('merge', 'x'),
      kind: 'merge',
      mode,
      inputs: { a: 'x', b: 'other.y' },
    }
    expectDifferences(x, around(merge, [other]), 0, { at: 4 })
  })
})

describe('what has no derivative', () => {
  it('is named, with what can be asked instead', () => {
    const lookup: LayerNode = {
      ...base('words', 'x'),
      kind: 'embedding',
      units,
      weights: { table: randomTensor(2, [9, units]) },
    }
    const parts: GraphParts = {
      name: 'text',
      source: 'test',
      inputs: [{ name: 'x', shape: ['batch', 'time'] }],
      outputs: [{ name: 'y', value: 'gru.sequence' }],
      nodes: [lookup, ...randomGru(2, units, units).wire('words.y', 'gru')],
    }
    const model = createModel(parts)
    const words = [[1, 4, 2, 8]]
    expect(thrownBy(() => inputJacobian(model, words))).toMatchObject({
      code: 'unsupported',
      where: 'words',
      fix: "Ask for the derivative by what it makes: by: 'words.y'.",
    })
    expect(inputJacobian(model, words, { by: 'words.y' }).jacobian.shape).toEqual([units, 4, units])
  })

  it('a table that is read by the input is an embedding too', () => {
    const table: LayerNode = {
      ...base('table', 'x'),
      kind: 'constant',
      inputs: {},
      weights: { value: randomTensor(2, [9, units]) },
    }
    const rows: LayerNode = {
      ...base('rows', 'x'),
      kind: 'gather',
      axis: 0,
      inputs: { x: 'table.y', indices: 'x' },
    }
    const model = createModel({
      name: 'text',
      source: 'test',
      inputs: [{ name: 'x', shape: ['batch', 'time'] }],
      outputs: [{ name: 'y', value: 'gru.sequence' }],
      nodes: [table, rows, ...randomGru(2, units, units).wire('rows.y', 'gru')],
    })
    expect(thrownBy(() => inputJacobian(model, [[1, 4, 2, 8]]))).toMatchObject({
      code: 'unsupported',
      where: 'rows',
    })
  })

  it('outputs, values, steps and units that are not there are named', () => {
    const model = sequential([randomGru(2, features, units)])
    const error = (options: object) => thrownBy(() => inputJacobian(model, x, options))
    expect(error({ output: 'z' })).toMatchObject({ code: 'not-found' })
    expect(error({ by: 'z' })).toMatchObject({ code: 'not-found' })
    expect(error({ at: 6 })).toMatchObject({ where: 'at' })
    expect(error({ units: [4] })).toMatchObject({ where: 'units' })
    expect(error({ row: 2 })).toMatchObject({ where: 'row' })
  })
})
