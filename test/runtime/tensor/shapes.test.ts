/** Shapes of layers on whole tensors, with symbols: what is inferred is what a run gives. */

import { describe, expect, it } from 'vitest'
import { activation } from '../../../src/model/activation/activations.ts'
import { outputShapes } from '../../../src/model/layers.ts'
import { evaluate } from '../../../src/model/shapes/dims.ts'
import type { Dim, TensorNode } from '../../../src/model/types.ts'
import { runTensorLayer } from '../../../src/runtime/tensor/index.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'
import { errorOf } from '../../support/errors.ts'
import { counted, node } from './support.ts'

type Shape = readonly Dim[]

const linear = activation('linear')
const around = (before: number, after: number) => ({ before, after })
const conv = (stride: number, padding: 'same' | { before: number; after: number }[]) =>
  node({
    kind: 'conv',
    strides: [stride],
    dilations: [2],
    padding,
    groups: 1,
    activation: linear,
    weights: { kernel: counted(3, 6, 4), bias: null },
  })
const unconv = (stride: number, padding: 'same' | { before: number; after: number }[]) =>
  node({
    kind: 'convTranspose',
    strides: [stride],
    dilations: [1],
    padding,
    outputPadding: [1],
    groups: 2,
    activation: linear,
    weights: { kernel: counted(3, 2, 6), bias: counted(4) },
  })
const attention = node({
  kind: 'attention',
  score: 'additive',
  causal: false,
  weights: { scale: counted(6), concatWeight: null },
})
const heads = node({
  kind: 'multiHeadAttention',
  heads: 2,
  keySize: 3,
  valueSize: 4,
  causal: true,
  weights: {
    queryKernel: counted(6, 2, 3),
    keyKernel: counted(5, 2, 3),
    valueKernel: counted(5, 2, 4),
    outputKernel: counted(2, 4, 7),
    queryBias: null,
    keyBias: null,
    valueBias: null,
    outputBias: counted(7),
  },
})
const x = ['batch', 'time', 6] as const

const cases: readonly [string, TensorNode, Named<Shape>, Shape][] = [
  ['reverse', node({ kind: 'reverse' }), { x }, ['batch', 'time', 6]],
  ['reshape', node({ kind: 'reshape', shape: ['batch', -1, 3] }), { x }, ['batch', '2·time', 3]],
  ['flatten', node({ kind: 'reshape', shape: [-1] }), { x }, ['6·batch·time']],
  ['reshape to a fixed batch', node({ kind: 'reshape', shape: [3, 11, 6] }), { x }, [3, 11, 6]],
  ['transpose', node({ kind: 'transpose', axes: [2, 0, 1] }), { x }, [6, 'batch', 'time']],
  ['expand', node({ kind: 'expand', shape: [2, 1, 'time', -1] }), { x }, [2, 'batch', 'time', 6]],
  [
    'slice',
    node({
      kind: 'slice',
      slices: [
        { axis: 1, start: 1, end: null, step: 2 },
        { axis: 2, start: -4, end: 9, step: 1 },
      ],
    }),
    { x },
    ['batch', '⌊time/2⌋', 4],
  ],
  [
    'concat',
    node({ kind: 'concat', axis: 1 }),
    { a: x, b: ['batch', 2, 6], c: x },
    ['batch', '(2·time+2)', 6],
  ],
  [
    'concat with known rows',
    node({ kind: 'concat', axis: 1 }),
    { a: x, b: [3, 2, 6] },
    [3, '(time+2)', 6],
  ],
  [
    'pad',
    node({
      kind: 'pad',
      mode: 'constant',
      value: 0,
      pads: [around(0, 0), around(2, -1), around(0, 1)],
    }),
    { x },
    ['batch', '(time+1)', 7],
  ],
  [
    'gather',
    node({ kind: 'gather', axis: 1 }),
    { x, indices: [2, 'batch'] },
    ['batch', 2, 'batch', 6],
  ],
  ['binary', node({ kind: 'binary', op: 'add' }), { a: x, b: ['time', 1] }, ['batch', 'time', 6]],
  [
    'binary with a known extent',
    node({ kind: 'binary', op: 'add' }),
    { a: x, b: [11, 6] },
    ['batch', 11, 6],
  ],
  ['where', node({ kind: 'where' }), { condition: ['time', 1], a: [], b: x }, ['batch', 'time', 6]],
  ['reduce', node({ kind: 'reduce', op: 'sum', axes: [1], keepAxes: false }), { x }, ['batch', 6]],
  [
    'reduce, kept',
    node({ kind: 'reduce', op: 'sum', axes: [0, 2], keepAxes: true }),
    { x },
    [1, 'time', 1],
  ],
  ['matmul', node({ kind: 'matmul' }), { a: x, b: [6, 'time'] }, ['batch', 'time', 'time']],
  ['matmul with a vector', node({ kind: 'matmul' }), { a: ['time'], b: x }, ['batch', 6]],
  ['softmax', node({ kind: 'softmax', axis: 1, log: false }), { x }, ['batch', 'time', 6]],
  ['conv', conv(2, [around(1, 1)]), { x }, ['batch', '(⌊(time+1)/2⌋−1)', 4]],
  ['conv, same', conv(3, 'same'), { x }, ['batch', '⌊(time+2)/3⌋', 4]],
  ['convTranspose', unconv(2, [around(1, 0)]), { x }, ['batch', '(2·time+1)', 4]],
  ['convTranspose, same', unconv(2, 'same'), { x }, ['batch', '(2·time+1)', 4]],
  [
    'pool',
    node({
      kind: 'pool',
      op: 'max',
      sizes: [3],
      strides: [3],
      padding: [around(0, 0)],
      countsPadding: false,
    }),
    { x },
    ['batch', '⌊time/3⌋', 6],
  ],
  [
    'attention',
    attention,
    { query: x, value: ['batch', 5, 2], key: ['batch', 5, 6], valueMask: ['batch', 5] },
    ['batch', 'time', 2],
  ],
  [
    'multiHeadAttention',
    heads,
    { query: x, value: ['batch', 4, 5], attentionMask: [1, 'time', 4] },
    ['batch', 'time', 7],
  ],
]

const symbols: Named<number> = { batch: 3, time: 11 }
const numberOf = (dim: Dim): number => evaluate(dim, (name) => symbols[name])

describe.each(cases)('%s', (_, layer, inputs, expected) => {
  it('is inferred', () => {
    expect(outputShapes(layer, inputs).y).toEqual(expected)
  })

  it('is what a run gives', () => {
    const tensors: Record<string, Tensor> = {}
    for (const [port, shape] of Object.entries(inputs)) {
      const { data, shape: extents } = counted(...shape.map(numberOf))
      // Numbers that are rows, too.
      tensors[port] = { shape: extents, data: data.map((value) => value % 3) }
    }
    const outputs = runTensorLayer(layer, tensors, { extent: numberOf })
    for (const [port, shape] of Object.entries(outputShapes(layer, inputs)))
      expect([port, outputs[port].shape]).toEqual([port, shape.map(numberOf)])
  })
})

describe('what can never fit is refused before any run', () => {
  const binary = node({ kind: 'binary', op: 'add' })
  it.each<[string, TensorNode, Named<Shape>]>([
    ['a step more', binary, { a: x, b: ['batch', '(time+1)', 6] }],
    ['other features', binary, { a: x, b: [7] }],
    [
      'a reshape that leaves numbers over',
      node({ kind: 'reshape', shape: ['batch', 'time', 7] }),
      { x },
    ],
    ['a reshape to half', node({ kind: 'reshape', shape: ['batch', 'time', 3] }), { x }],
    ['two open extents', node({ kind: 'reshape', shape: [-1, -1] }), { x }],
    ['an axis twice', node({ kind: 'transpose', axes: [0, 1, 1] }), { x }],
    ['nothing to keep', node({ kind: 'expand', shape: [-1, 1, 1, 1] }), { x }],
    ['an inner extent', node({ kind: 'matmul' }), { a: x, b: ['batch', 5, 2] }],
    ['features of a convolution', conv(1, 'same'), { x: ['batch', 'time', 5] }],
    ['axes of a convolution', conv(1, 'same'), { x: ['batch', 'time', 1, 6] }],
    ['a sequence shorter than the window', conv(1, [around(0, 0)]), { x: ['batch', 3, 6] }],
    [
      'keys and values of different number',
      attention,
      { query: x, value: ['batch', 4, 6], key: ['batch', 5, 6] },
    ],
    ['keys of another size', attention, { query: x, value: ['batch', 4, 5] }],
    [
      'a mask of another length',
      attention,
      { query: x, value: x, queryMask: ['batch', '(time+1)'] },
    ],
    ['no sequence', heads, { query: ['batch', 6], value: ['batch', 4, 5] }],
    [
      'a bias of another length',
      { ...heads, weights: { ...heads.weights, outputBias: counted(6) } },
      { query: x, value: ['batch', 4, 5] },
    ],
  ])('%s', async (_, layer, inputs) => {
    const { code, where } = await errorOf(() => outputShapes(layer, inputs))
    expect(code).toBe('bad-shape')
    expect(where).toMatch(/^layer\b/)
  })

  it.each<[string, TensorNode]>([
    ['a stride of 0', { ...conv(1, 'same'), strides: [0] }],
    ['strides for other axes', { ...conv(1, 'same'), strides: [1, 1] }],
    ['padding for other axes', { ...conv(1, 'same'), padding: [] }],
    ['groups that do not divide the units', { ...conv(1, 'same'), groups: 3 }],
    [
      'no sizes',
      node({
        kind: 'pool',
        op: 'max',
        sizes: [0],
        strides: [1],
        padding: 'same',
        countsPadding: false,
      }),
    ],
    [
      'a step of 0',
      node({ kind: 'slice', slices: [{ axis: 0, start: null, end: null, step: 0 }] }),
    ],
  ])('%s contradicts itself', async (_, layer) => {
    const { code, where } = await errorOf(() => outputShapes(layer, { x }))
    expect(code).toBe('bad-model')
    expect(where).toBe('layer')
  })
})
