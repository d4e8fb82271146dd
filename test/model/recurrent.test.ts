/** How packed arrays become LSTM and simple recurrent nodes, and what is recorded on the way. */

import { describe, expect, it } from 'vitest'
import { activation } from '../../src/model/activation/activations.ts'
import { transpose } from '../../src/model/axes.ts'
import {
  bidirectional,
  conventionTable,
  equations,
  joinGates,
  type LstmGateOrder,
  type LstmNode,
  lstm,
  parseLstmGateOrder,
  type RnnNode,
  sequential,
  simpleRnn,
  statesOf,
} from '../../src/model/index.ts'
import { type LstmArrays, lstmNode } from '../../src/model/recurrent/lstm.ts'
import { rnnNode } from '../../src/model/recurrent/rnn.ts'
import type { Tensor } from '../../src/tensor.ts'
import { thrownBy } from '../support/errors.ts'

const [features, units] = [2, 3]

/** 0, 1, 2 … so that every number is its own place. */
function count(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return { shape, data: Float32Array.from({ length: size }, (_, i) => i), dtype: 'float32' }
}

const packed = {
  kernel: count(features, 4 * units),
  recurrentKernel: count(units, 4 * units),
  bias: count(4 * units),
} satisfies LstmArrays

const recorded = (node: {
  conventions: readonly { key: string; value: string; origin: string }[]
}): Record<string, readonly string[]> =>
  Object.fromEntries(node.conventions.map(({ key, value, origin }) => [key, [value, origin]]))

describe('lstmNode', () => {
  it('takes the gates apart in the order given', () => {
    const why = 'the file says so'
    for (const order of Object.keys(conventionTable.lstmGateOrder.values) as LstmGateOrder[]) {
      const gateOrder = { value: order, origin: 'stated', why } as const
      const { weights, conventions } = lstmNode('l', packed, { gateOrder })
      order.split('').forEach((gate, block) => {
        const data = weights.inputBias![gate as 'i'].data
        expect(Array.from(data)).toEqual([3 * block, 3 * block + 1, 3 * block + 2])
      })
      expect(joinGates(weights.kernel, order).data).toEqual(packed.kernel.data)
      expect(joinGates(weights.recurrentKernel, order).data).toEqual(packed.recurrentKernel.data)
      expect(conventions[0]).toEqual({ key: 'lstmGateOrder', value: order, origin: 'stated', why })
    }
  })

  it('knows 24 orders', () => {
    expect(new Set(Object.keys(conventionTable.lstmGateOrder.values)).size).toBe(24)
  })

  it('assumes what Keras does, and says so', () => {
    const node = lstmNode('l', packed)
    expect(recorded(node)).toEqual({
      lstmGateOrder: ['ifgo', 'assumed'],
      transposed: ['no', 'implied'],
      forgetGate: ['own', 'assumed'],
      activation: ['tanh', 'assumed'],
      recurrentActivation: ['sigmoid', 'assumed'],
      outputActivation: ['tanh', 'assumed'],
    })
    expect(node).toMatchObject({ features, units, coupled: false, clip: null })
  })

  it('turns transposed kernels, whose shape tells', () => {
    const [kernel, recurrentKernel] = [packed.kernel, packed.recurrentKernel].map(transpose)
    const node = lstmNode('l', { ...packed, kernel, recurrentKernel })
    expect(node.weights).toEqual(lstmNode('l', packed).weights)
    expect(recorded(node).transposed).toEqual(['yes', 'implied'])
    const error = thrownBy(() => lstmNode('l', packed, {}, { transposed: true }))
    expect(error.message).toMatch(/not transposed.*expected \[4·units, units\], got \[3, 12\]/)
  })

  it.each([
    ['[2, 4·units]', { bias: count(2, 12) }],
    ['[8·units]', { bias: count(24) }],
    [
      'two arrays',
      { bias: count(12), recurrentBias: { ...count(12), data: count(24).data.subarray(12) } },
    ],
  ])('takes two biases as %s', (_, biases) => {
    const { weights } = lstmNode('l', { ...packed, ...biases })
    expect(Array.from(weights.inputBias!.f.data)).toEqual([3, 4, 5])
    expect(Array.from(weights.recurrentBias!.f.data)).toEqual([15, 16, 17])
  })

  it('the output activation is the activation, unless another is stated', () => {
    const relu = { value: activation('relu'), origin: 'stated', why: 'so' } as const
    expect(lstmNode('l', packed, { activation: relu }).outputActivation.kind).toBe('relu')
    const linear = { value: activation('linear'), origin: 'stated', why: 'so' } as const
    const node = lstmNode('l', packed, { activation: relu, outputActivation: linear })
    expect(node.outputActivation.kind).toBe('linear')
    const { outputActivation } = lstmNode('l', packed, {}, { outputActivation: 'softsign' })
    expect(outputActivation.kind).toBe('softsign')
  })

  it('peepholes come in ONNX’s order, and say so', () => {
    const node = lstmNode('l', { ...packed, peephole: count(9) })
    expect(recorded(node).peepholeOrder).toEqual(['iof', 'assumed'])
    const { i, o, f } = node.weights.peephole!
    expect([i, o, f].map(({ data }) => data[0])).toEqual([0, 3, 6])
    const error = thrownBy(() => lstmNode('l', { ...packed, peephole: count(12) }))
    expect(error).toMatchObject({ code: 'bad-shape', where: 'l: peephole' })
  })

  it('refuses arrays of another layer, naming both shapes', () => {
    const gru = { kernel: count(2, 9), recurrentKernel: count(3, 9) }
    expect(thrownBy(() => lstmNode('l', gru)).message).toMatch(/of an LSTM.*got \[3, 9\]/)
    const torn = { ...packed, kernel: count(2, 8) }
    expect(thrownBy(() => lstmNode('l', torn)).message).toMatch(/expected \[features, 12\]/)
    const long = { ...packed, bias: count(13) }
    expect(thrownBy(() => lstmNode('l', long)).message).toMatch(/\[12\], \[2, 12\] or \[24\]/)
    const softmax = { value: activation('softmax'), origin: 'stated', why: 'so' } as const
    const error = thrownBy(() => lstmNode('l', packed, { activation: softmax }))
    expect(error).toMatchObject({ code: 'unsupported' })
  })
})

describe('rnnNode', () => {
  const arrays = { kernel: count(features, units), recurrentKernel: count(units, units) }

  it('tells a transposed layer by its input kernel', () => {
    expect(recorded(rnnNode('r', arrays)).transposed).toEqual(['no', 'implied'])
    const turned = rnnNode('r', {
      kernel: transpose(arrays.kernel),
      recurrentKernel: transpose(arrays.recurrentKernel),
    })
    expect(recorded(turned).transposed).toEqual(['yes', 'implied'])
    expect(turned.weights).toEqual(rnnNode('r', arrays).weights)
    const error = thrownBy(() => rnnNode('r', arrays, {}, { transposed: true }))
    expect(error.message).toMatch(/not transposed.*expected \[units, features\], got \[2, 3\]/)
  })

  it('where both kernels are square, only the file can tell', () => {
    const square = { kernel: count(3, 3), recurrentKernel: count(3, 3) }
    expect(recorded(rnnNode('r', square)).transposed).toEqual(['no', 'assumed'])
    const yes = { value: 'yes', origin: 'stated', why: 'PyTorch' } as const
    const { kernel } = rnnNode('r', square, { transposed: yes }).weights
    expect(Array.from(kernel.data)).toEqual([0, 3, 6, 1, 4, 7, 2, 5, 8])
  })

  it('takes one bias, two, or none', () => {
    expect(rnnNode('r', arrays).weights.inputBias).toBeNull()
    const one = rnnNode('r', { ...arrays, bias: count(3) }).weights
    expect([one.inputBias!.data.length, one.recurrentBias]).toEqual([3, null])
    const two = rnnNode('r', { ...arrays, bias: count(2, 3) }).weights
    expect(Array.from(two.recurrentBias!.data)).toEqual([3, 4, 5])
  })

  it('refuses what is no square', () => {
    const error = thrownBy(() => rnnNode('r', { ...arrays, recurrentKernel: count(3, 9) }))
    expect(error.message).toMatch(/of a simple RNN.*expected \[units, units\], got \[3, 9\]/)
  })
})

describe('in code', () => {
  it('lstm and simpleRnn chain like gru', () => {
    const model = sequential([
      lstm({ ...packed, gateOrder: 'iofg', coupled: true, clip: 2 }),
      simpleRnn({ kernel: count(3, 4), recurrentKernel: count(4, 4), activation: 'relu' }),
    ])
    const [first, second] = model.nodes as readonly [LstmNode, RnnNode]
    expect(first).toMatchObject({ name: 'lstm', coupled: true, clip: 2 })
    expect(recorded(first).lstmGateOrder).toEqual(['iofg', 'stated'])
    expect(second).toMatchObject({ name: 'simple_rnn', units: 4, inputs: { x: 'lstm.sequence' } })
    expect(model.nodes.flatMap(statesOf)).toEqual([
      { name: 'lstm.h', size: 3 },
      { name: 'lstm.c', size: 3 },
      { name: 'simple_rnn.h', size: 4 },
    ])
  })

  it('a bidirectional layer takes any cell', () => {
    const model = sequential([bidirectional({ cell: 'lstm', forward: packed, backward: packed })])
    expect(model.nodes.map(({ kind }) => kind)).toEqual(['lstm', 'lstm', 'merge'])
    expect(model.outputs[0].shape).toEqual(['batch', 'time', 6])
  })
})

describe('gate orders as people write them', () => {
  it.each([
    ['i,f,c,o', 'ifgo'],
    ['IOFC', 'iofg'],
    ['i-j-f-o', 'igfo'],
  ])('%s is %s', (text, order) => expect(parseLstmGateOrder(text)).toBe(order))
  it.each(['zrn', 'ifgg', 'ifg', 'ifgox'])('%s is none', (text) => {
    expect(thrownBy(() => parseLstmGateOrder(text))).toMatchObject({ code: 'bad-argument' })
  })
})

describe('equations', () => {
  it('of Keras’s LSTM are the textbook’s but for letters', () => {
    const [node] = sequential([lstm(packed)]).nodes as readonly LstmNode[]
    const lines = equations(node)
    expect(lines.map(({ ours }) => ours)).toEqual([
      'i = σ(Wi·x + Ui·h + bii)',
      'f = σ(Wf·x + Uf·h + bif)',
      'g = tanh(Wg·x + Ug·h + big)',
      "c' = f ⊙ c + i ⊙ g",
      'o = σ(Wo·x + Uo·h + bio)',
      "h' = o ⊙ tanh(c')",
    ])
    expect(lines.some(({ differs }) => differs)).toBe(false)
  })

  it('of another say where it differs', () => {
    const [node] = sequential([
      lstm({ ...packed, coupled: true, peephole: count(9), outputActivation: 'relu' }),
    ]).nodes as readonly LstmNode[]
    const lines = equations(node)
    expect(lines.filter(({ differs }) => differs).map(({ ours }) => ours)).toEqual([
      'i = σ(Wi·x + Ui·h + bii + pi ⊙ c)',
      'f = 1 − i',
      "o = σ(Wo·x + Uo·h + bio + po ⊙ c')",
      "h' = o ⊙ relu(c')",
    ])
  })

  it('of a simple RNN are one line', () => {
    const [node] = sequential([
      simpleRnn({ kernel: count(2, 3), recurrentKernel: count(3, 3), bias: count(2, 3) }),
    ]).nodes as readonly RnnNode[]
    expect(equations(node)).toEqual([
      {
        ours: "h' = tanh(W·x + U·h + bi + br)",
        textbook: "h' = tanh(W·x + U·h + b)",
        differs: false,
        note: '',
      },
    ])
  })
})
