/** Seeded models that cover what the formats differ in. */

import { createModel } from '../../src/model/graph.ts'
import { bidirectional, dense, gru, lstm, sequential, simpleRnn } from '../../src/model/index.ts'
import type { LayerNode, Model } from '../../src/model/types.ts'
import { random, randomArrays, randomTensor, tensor } from '../support/random.ts'

const arrays = (features: number, units: number, gates: number) =>
  randomArrays(40 + features + units, features, units, gates)

const gruArrays = arrays(3, 5, 3)

const head = (features: number, units: number, activation: string) => {
  const next = random(50 + features)
  return dense({ kernel: tensor(next, [features, units]), bias: tensor(next, [units]), activation })
}

const { kernel, recurrentKernel, bias } = gruArrays
const oneBias = { shape: [15], data: bias.data.slice(0, 15) }
const lstmArrays = arrays(5, 4, 4)
const lstmBias = { shape: [16], data: lstmArrays.bias.data.slice(0, 16) }

export const models = {
  gru: sequential([gru(gruArrays)], { name: 'one' }),
  resetBefore: sequential([gru({ kernel, recurrentKernel, bias: oneBias })]),
  merged: sequential([gru({ ...gruArrays, biasPlacement: 'merged' })]),
  mergedOnce: sequential([gru({ kernel, recurrentKernel, bias: oneBias, reset: 'after' })]),
  noBias: sequential([gru({ kernel, recurrentKernel })]),
  updates: sequential([gru({ ...gruArrays, update: 'updates' })]),
  hardSigmoid: sequential([gru({ ...gruArrays, recurrentActivation: 'hard_sigmoid' })]),
  stack: sequential([
    gru({ ...gruArrays, name: 'first' }),
    lstm({ ...lstmArrays, bias: lstmBias }),
    head(4, 6, 'relu'),
    head(6, 2, 'softmax'),
  ]),
  lstmTwoBiases: sequential([lstm({ ...arrays(3, 4, 4), name: 'twice' })]),
  last: sequential([gru({ ...gruArrays, returnSequences: false }), head(5, 2, 'elu')]),
  rnn: sequential([simpleRnn({ ...arrays(3, 5, 1), bias: randomTensor(2, [5]) })]),
  bidirectional: sequential([
    bidirectional({ forward: gruArrays, backward: arrays(3, 5, 3), name: 'both' }),
    head(10, 2, 'tanh'),
  ]),
  backward: sequential([gru({ ...gruArrays, goBackwards: true, returnSequences: false })]),
  peepholes: sequential([lstm({ ...arrays(3, 4, 4), peephole: randomTensor(3, [12]) })]),
  residual: residual(),
} satisfies Readonly<Record<string, Model>>

export type ModelName = keyof typeof models

/**
 * One feature, added to the output of a GRU and a Dense layer; time first, as in amplifier models.
 */
function residual(): Model {
  const inner = sequential([gru(arrays(1, 4, 3)), head(4, 1, 'linear')])
  const value = inner.outputs[0].value
  const sum: LayerNode = {
    kind: 'merge',
    name: 'sum',
    mode: 'add',
    inputs: { 0: value, 1: 'x' },
    outputs: { y: 'sum.y' },
    conventions: [],
  }
  const axes = [1, 0, 2]
  return createModel({
    ...inner,
    inputs: [{ name: 'x', shape: ['time', 'batch', 1], axes }],
    outputs: [{ name: 'y', value: 'sum.y', axes }],
    nodes: [...inner.nodes, sum],
  })
}
