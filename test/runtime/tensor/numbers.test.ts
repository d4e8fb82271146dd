/** What the fixtures do not show: empty tensors, masks that leave nothing, errors. */

import { describe, expect, it } from 'vitest'
import { activation } from '../../../src/model/activation/activations.ts'
import { runTensorLayer } from '../../../src/runtime/tensor/index.ts'
import { sizeOf, type Tensor } from '../../../src/tensor.ts'
import { errorOf } from '../../support/errors.ts'
import { counted, node, run } from './support.ts'

const linear = activation('linear')
const full = (value: number, ...shape: number[]): Tensor => ({
  shape,
  data: new Float64Array(sizeOf(shape)).fill(value),
})

describe('empty tensors', () => {
  const empty = counted(2, 0)

  it.each([
    ['sum', 0],
    ['product', 1],
    ['max', Number.NEGATIVE_INFINITY],
    ['min', Number.POSITIVE_INFINITY],
    ['mean', Number.NaN],
    ['logSumExp', Number.NEGATIVE_INFINITY],
  ] as const)('%s of nothing is %s', (op, value) => {
    const layer = node({ kind: 'reduce', op, axes: [1], keepAxes: false })
    expect(run(layer, { x: empty })).toEqual(full(value, 2))
  })

  it('softmax, unary and binary layers leave them empty', () => {
    expect(run(node({ kind: 'softmax', axis: 1, log: false }), { x: empty })).toEqual(empty)
    expect(run(node({ kind: 'softmax', axis: 0, log: true }), { x: empty })).toEqual(empty)
    expect(run(node({ kind: 'unary', op: 'exp' }), { x: empty })).toEqual(empty)
    expect(run(node({ kind: 'binary', op: 'add' }), { a: empty, b: counted(1) })).toEqual(empty)
  })

  it('no rows go through a convolution, no steps neither', () => {
    const layer = node({
      kind: 'conv',
      strides: [1],
      dilations: [1],
      padding: 'same',
      groups: 1,
      activation: linear,
      weights: { kernel: counted(3, 2, 4), bias: counted(4) },
    })
    expect(run(layer, { x: counted(0, 5, 2) }).shape).toEqual([0, 5, 4])
    expect(run(layer, { x: counted(2, 0, 2) }).shape).toEqual([2, 0, 4])
  })

  it('attention to no keys gives zeros', () => {
    const layer = node({
      kind: 'attention',
      score: 'dot',
      causal: false,
      weights: { scale: null, concatWeight: null },
    })
    const y = run(layer, { query: counted(1, 2, 3), value: counted(1, 0, 3) })
    expect(y).toEqual(full(0, 1, 2, 3))
  })
})

it('numbers without axes are elements too', () => {
  const [a, b] = [counted(), counted(2, 1)]
  expect(run(node({ kind: 'binary', op: 'add' }), { a, b })).toEqual({
    shape: [2, 1],
    data: Float64Array.of(2, 3),
  })
  expect(run(node({ kind: 'reduce', op: 'l2', axes: [], keepAxes: false }), { x: a })).toEqual(a)
})

it('float32 inputs are computed with in float64', () => {
  const x = { shape: [1], data: Float32Array.of(0.1) }
  const { data } = run(node({ kind: 'binary', op: 'add' }), {
    a: x,
    b: { ...x, data: Float64Array.of(1e-9) },
  })
  expect(data[0]).toBe(Math.fround(0.1) + 1e-9)
})

it('inputs stay as they are', () => {
  const x = counted(1, 3, 2)
  run(node({ kind: 'softmax', axis: 2, log: false }), { x })
  run(node({ kind: 'reverse' }), { x })
  expect(x).toEqual(counted(1, 3, 2))
})

describe('a query that may look at nothing', () => {
  const query = counted(1, 2, 2)
  const value = counted(1, 4, 2)

  it('looks at all keys alike, as in float32: attention', () => {
    const layer = node({
      kind: 'attention',
      score: 'dot',
      causal: true,
      weights: { scale: null, concatWeight: null },
    })
    const valueMask = { shape: [1, 4], data: Float64Array.of(0, 1, 1, 1) }
    const outputs = runTensorLayer(layer, { query, value, valueMask }, { extent: Number })
    expect(Array.from(outputs.scores.data)).toEqual([0.25, 0.25, 0.25, 0.25, 0, 1, 0, 0])
    expect(Array.from(outputs.y.data)).toEqual([4, 5, 3, 4])
  })

  it('looks at all keys alike, as in float32: multi-head attention', () => {
    const kernel = full(0.25, 2, 1, 2)
    const layer = node({
      kind: 'multiHeadAttention',
      heads: 1,
      keySize: 2,
      valueSize: 2,
      causal: false,
      weights: {
        queryKernel: kernel,
        keyKernel: kernel,
        valueKernel: kernel,
        outputKernel: counted(1, 2, 2),
        queryBias: null,
        keyBias: null,
        valueBias: null,
        outputBias: null,
      },
    })
    const queryMask = { shape: [1, 2], data: Float64Array.of(0, 1) }
    const { scores } = runTensorLayer(layer, { query, value, queryMask }, { extent: Number })
    expect(Array.from(scores.data.subarray(0, 4))).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(scores.data[4]).not.toBe(0.25)
  })
})

describe('an error names the layer', () => {
  it.each([
    [
      'extents that do not broadcast',
      () => run(node({ kind: 'binary', op: 'add' }), { a: counted(2), b: counted(3) }),
    ],
    [
      'matrices that do not fit',
      () => run(node({ kind: 'matmul' }), { a: counted(2, 3), b: counted(2, 3) }),
    ],
    [
      'a number as a matrix',
      () => run(node({ kind: 'matmul' }), { a: counted(), b: counted(2, 3) }),
    ],
    [
      'parts of different heights',
      () => run(node({ kind: 'concat', axis: 1 }), { a: counted(2, 1), b: counted(3, 1) }),
    ],
    [
      'an axis that is not there',
      () => run(node({ kind: 'softmax', axis: 1, log: false }), { x: counted(2) }),
    ],
    ['a sequence without steps', () => run(node({ kind: 'reverse' }), { x: counted(2) })],
    [
      'a window longer than the axis',
      () =>
        run(
          node({
            kind: 'pool',
            op: 'max',
            sizes: [4],
            strides: [1],
            padding: [{ before: 0, after: 0 }],
            countsPadding: false,
          }),
          { x: counted(1, 2, 1) },
        ),
    ],
    [
      'a mask of another length',
      () =>
        run(
          node({
            kind: 'attention',
            score: 'dot',
            causal: false,
            weights: { scale: null, concatWeight: null },
          }),
          { query: counted(1, 2, 2), value: counted(1, 4, 2), valueMask: counted(1, 3) },
        ),
    ],
  ])('%s', async (_, call) => {
    const { code, where } = await errorOf(call)
    expect(code).toBe('bad-shape')
    expect(where).toMatch(/^layer\b/)
  })
})
