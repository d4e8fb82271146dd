/** Tests gruv's own format: models are read back as they were written, number for number. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeSafetensorsModel } from '../../src/formats/gruv/write.ts'
import { compileSync, load } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { bidirectional, gru, lstm, sequential, simpleRnn } from '../../src/model/index.ts'
import { layerKinds } from '../../src/model/layers.ts'
import type { Dim, LayerNode, Model } from '../../src/model/types.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { random, tensor } from '../support/random.ts'

const next = random(20)
const t = (...shape: number[]): Tensor => tensor(next, shape)

/** A node of every kind, with what arrives at it. */
const nodes: Readonly<
  Record<string, readonly [attributes: object, inputs: Named<readonly Dim[]>]>
> = {
  activation: [{ activation: { kind: 'elu', parameters: [0.5] } }, { x: ['batch', 4] }],
  prelu: [{ weights: { alpha: t(4) } }, { x: ['batch', 4] }],
  affine: [{ weights: { scale: t(4), shift: null } }, { x: ['batch', 4] }],
  embedding: [{ units: 3, weights: { table: t(5, 3) } }, { x: ['batch', 'time'] }],
  masking: [{ value: -1.5 }, { x: ['batch', 'time', 4] }],
  batchNorm: [
    { epsilon: 1e-3, weights: { gamma: null, beta: t(4), mean: t(4), variance: t(4) } },
    { x: ['batch', 4] },
  ],
  layerNorm: [
    { epsilon: 1e-5, axes: 1, weights: { gamma: t(4), beta: null } },
    { x: ['batch', 4] },
  ],
  conv1d: [
    {
      features: 4,
      units: 6,
      size: 3,
      stride: 2,
      dilation: 1,
      groups: 2,
      padding: 'same',
      activation: { kind: 'softmax', parameters: [] },
      weights: { kernel: t(3, 2, 6), bias: t(6) },
    },
    { x: ['batch', 'time', 4] },
  ],
  merge: [{ mode: 'subtract' }, { a: ['batch', 4], b: ['batch', 4] }],
  reverse: [{}, { x: ['batch', 'time', 4] }],
  reshape: [{ shape: ['batch', -1] }, { x: ['batch', 3, 4] }],
  transpose: [{ axes: [0, 2, 1] }, { x: ['batch', 3, 4] }],
  expand: [{ shape: ['batch', 3, 4] }, { x: ['batch', 1, 4] }],
  slice: [{ slices: [{ axis: 1, start: null, end: -1, step: 2 }] }, { x: ['batch', 3, 4] }],
  concat: [{ axis: 1 }, { a: ['batch', 3, 4], b: ['batch', 1, 4] }],
  pad: [
    {
      mode: 'reflect',
      value: 0,
      pads: [
        { before: 0, after: 0 },
        { before: 1, after: -1 },
      ],
    },
    { x: ['batch', 4] },
  ],
  gather: [{ axis: 1 }, { x: ['batch', 3, 4], indices: [2] }],
  range: [{ count: 'batch' }, {}],
  constant: [{ weights: { value: t(2, 2) } }, {}],
  binary: [{ op: 'greaterOrEqual' }, { a: ['batch', 4], b: [4] }],
  unary: [{ op: 'erf' }, { x: ['batch', 4] }],
  where: [{}, { condition: ['batch', 4], a: [4], b: [1] }],
  reduce: [{ op: 'logSumExp', axes: [1], keepAxes: true }, { x: ['batch', 4] }],
  matmul: [{}, { a: ['batch', 3, 4], b: ['batch', 4, 2] }],
  softmax: [{ axis: 1, log: true }, { x: ['batch', 3, 4] }],
  conv: [
    {
      strides: [1, 2],
      dilations: [1, 1],
      padding: [
        { before: 1, after: 0 },
        { before: 0, after: 0 },
      ],
      groups: 1,
      activation: { kind: 'relu', parameters: [] },
      weights: { kernel: t(2, 2, 4, 3), bias: null },
    },
    { x: ['batch', 5, 6, 4] },
  ],
  convTranspose: [
    {
      strides: [2],
      dilations: [1],
      padding: 'same',
      outputPadding: [0],
      groups: 1,
      activation: { kind: 'linear', parameters: [] },
      weights: { kernel: t(3, 2, 4), bias: t(2) },
    },
    { x: ['batch', 5, 4] },
  ],
  pool: [
    { op: 'max', sizes: [2], strides: [2], padding: 'same', countsPadding: false },
    { x: ['batch', 5, 4] },
  ],
  attention: [
    { score: 'additive', causal: true, weights: { scale: t(4), concatWeight: null } },
    { query: ['batch', 3, 4], value: ['batch', 5, 4] },
  ],
  multiHeadAttention: [
    {
      heads: 2,
      keySize: 3,
      valueSize: 3,
      causal: false,
      weights: {
        queryKernel: t(4, 2, 3),
        keyKernel: t(4, 2, 3),
        valueKernel: t(4, 2, 3),
        outputKernel: t(2, 3, 4),
        queryBias: t(2, 3),
        keyBias: null,
        valueBias: null,
        outputBias: t(4),
      },
    },
    { query: ['batch', 3, 4], value: ['batch', 5, 4] },
  ],
}

function alone(kind: string): Model {
  const [attributes, inputs] = nodes[kind]
  const node = {
    kind,
    name: 'layer',
    ...attributes,
    inputs: Object.fromEntries(Object.keys(inputs).map((port) => [port, port])),
    outputs: { y: 'result' },
    conventions: [],
  } as object as LayerNode
  return createModel({
    name: kind,
    source: 'gruv model (.safetensors)',
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, shape })),
    outputs: [{ name: 'y', value: 'result' }],
    nodes: [node],
  })
}

/** Leaves out dtypes, which only numbers from a file have, and conventions. */
function withoutStorage(model: Model): unknown {
  return JSON.parse(
    JSON.stringify(model, (key, value) =>
      key === 'dtype' || key === 'conventions'
        ? undefined
        : ArrayBuffer.isView(value)
          ? Array.from(value as Float32Array)
          : value,
    ),
  )
}

async function roundTrip(model: Model): Promise<Model> {
  return load(writeSafetensorsModel(model), { name: `${model.name}.safetensors` })
}

describe('a node of every kind comes back as it was', () => {
  it('every kind is here', () => {
    expect([...Object.keys(nodes), 'gru', 'lstm', 'rnn', 'dense'].sort()).toEqual(
      [...layerKinds].sort(),
    )
  })

  it.each(Object.keys(nodes))('%s', async (kind) => {
    const model = alone(kind)
    expect(withoutStorage(await roundTrip(model))).toEqual(withoutStorage(model))
  })
})

describe('recurrent layers come back as they were', () => {
  const [features, units] = [3, 5]
  const arrays = (gates: number, transposed = false) => {
    const shape = (inputs: number): number[] =>
      transposed ? [gates * units, inputs] : [inputs, gates * units]
    return {
      kernel: t(...shape(features)),
      recurrentKernel: t(...shape(units)),
      bias: t(gates * units),
      recurrentBias: t(gates * units),
      ...(transposed && { transposed }),
    }
  }
  const layers = {
    'gru, packed as PyTorch does': gru({ ...arrays(3, true), gateOrder: 'rzn' }),
    'gru, every attribute': gru({
      ...arrays(3),
      reset: 'before',
      update: 'updates',
      activation: 'hard_sigmoid(alpha=0.25, beta=0.5)',
      recurrentActivation: 'softsign',
      goBackwards: true,
      maskedOutput: 'zero',
      clip: 3,
    }),
    'lstm, packed as PyTorch does': lstm(arrays(4, true)),
    'lstm, packed as ONNX does': lstm({ ...arrays(4, true), gateOrder: 'iofg' }),
    rnn: simpleRnn({ ...arrays(1, true), activation: 'relu' }),
    'both directions': bidirectional({ forward: arrays(3), backward: arrays(3), merge: 'sum' }),
  }

  it.each(Object.entries(layers))('%s', async (_, layer) => {
    const model = sequential([layer])
    const read = await roundTrip(model)
    expect(withoutStorage({ ...read, source: model.source })).toEqual(withoutStorage(model))
    const written = writeSafetensorsModel(model)
    expect(writeSafetensorsModel(read)).toEqual(written)
  })
})

it('the example comes back, its tensors as their framework packed them', async () => {
  const file = new URL('../../examples/seattle-weather/model.safetensors', import.meta.url)
  const model = await load(new Uint8Array(readFileSync(file)), { name: 'model.safetensors' })
  const read = await roundTrip(model)
  expect(withoutStorage({ ...read, name: model.name })).toEqual(withoutStorage(model))
  const x = t(2, 9, 6)
  expect(compileSync(read).predict(x)).toEqual(compileSync(model).predict(x))
})

it('reference data travels along', async () => {
  const reference = { inputs: { x: t(1, 4, 3) }, outputs: { y: t(1, 4, 5) } }
  const layer = gru({ kernel: t(3, 15), recurrentKernel: t(5, 15), bias: t(2, 15) })
  const read = await roundTrip(sequential([layer], { reference }))
  expect(withoutStorage(read)).toMatchObject(
    JSON.parse(
      JSON.stringify({ reference }, (_, v) =>
        ArrayBuffer.isView(v) ? Array.from(v as Float32Array) : v,
      ),
    ),
  )
})
