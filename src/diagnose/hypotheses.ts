/**
 * THE table of hypotheses: everything that is known to go wrong between a trained GRU and the
 * numbers somebody computes from it, one entry each. `diagnose` searches it, `--quirk` takes its
 * names, the help and the documents print it, and the sensitivity test plants every entry.
 */

import { activation, showActivation } from '../model/activations.ts'
import { conventionTable, type GruConventionKey } from '../model/conventions.ts'
import type { Model } from '../model/types.ts'
import {
  float16Weights,
  lostColumn,
  type NodeChange,
  reread,
  reshapedKernel,
  scaled,
  swappedBiases,
  swappedKernels,
  transposedGates,
  withoutBias,
} from './change.ts'
import {
  backwardUnaligned,
  beforeLastLayer,
  halfWeightsSwapped,
  halvesSwapped,
} from './graph-change.ts'
import {
  backwards,
  initialStateIgnored,
  type RunChange,
  reversed,
  stateCarriedOverRows,
  stateless,
  timeBatchSwapped,
} from './runs.ts'

interface HypothesisEntry {
  /** As the end of "perhaps …". */
  readonly title: string
  /** The values that are tried; empty where it takes none. */
  readonly values: readonly string[]
  /** Set where the values are those of a convention, and its flag can set them. */
  readonly convention?: GruConventionKey
  /** Exactly one of these three: what it does to each GRU layer, to the graph, or to a run. */
  readonly node?: NodeChange
  readonly graph?: (model: Model) => Model | null
  readonly run?: RunChange
  /** Set where it multiplies weights by its value: the kernels', or the biases' as well. */
  readonly scales?: 'kernels' | 'weights'
  /** What it does depends on which gate is which and on the reset: conventions have to come first. */
  readonly afterConventions?: true
}

const why = 'the hypothesis says so'
const keys = (key: GruConventionKey): readonly string[] => Object.keys(conventionTable[key].values)
/** Normal forms, so that equal activations have equal names. */
const named = (...names: readonly string[]): readonly string[] =>
  names.map((name) => showActivation(activation(name)))

/** Powers of quantisation and of ten, and what people divide by; others are estimated. */
const factors = [0.1, 0.5, 2, 10, 1 / 127, 1 / 128, 1 / 255, 1 / 256, 127, 128, 255, 256].map(
  String,
)

export const hypothesisTable = {
  'gate-order': {
    title: 'the gates are packed in another order',
    values: keys('gateOrder'),
    convention: 'gateOrder',
    node: reread('gateOrder', why),
  },
  reset: {
    title: 'the reset gate multiplies elsewhere',
    values: keys('reset'),
    convention: 'reset',
    node: reread('reset', why),
  },
  update: {
    title: 'z and 1 − z are exchanged',
    values: keys('update'),
    convention: 'update',
    node: reread('update', why),
  },
  bias: {
    title: "the candidate's recurrent bias lies elsewhere",
    values: ['separate', 'merged'],
    convention: 'bias',
    node: reread('bias', why),
  },
  activation: {
    title: 'the candidate has another activation',
    values: named(
      'tanh',
      'sigmoid',
      'relu',
      'linear',
      'hard_tanh',
      'softsign',
      'elu',
      'selu',
      'silu',
      'gelu',
      'softplus',
      'leaky_relu',
      'leaky_relu(alpha=0.2)',
      'leaky_relu(alpha=0.3)',
      'hard_sigmoid',
    ),
    convention: 'activation',
    node: reread('activation', why),
  },
  'recurrent-activation': {
    title: 'the gates have another activation',
    values: named(
      'sigmoid',
      'hard_sigmoid',
      `hard_sigmoid(alpha=${1 / 6})`,
      'tanh',
      'relu',
      'linear',
      'softsign',
      'hard_tanh',
    ),
    convention: 'recurrentActivation',
    node: reread('recurrentActivation', why),
  },
  'transposed-kernel': {
    title: 'the input kernel of each gate is transposed',
    values: [],
    node: transposedGates('kernel'),
  },
  'transposed-recurrent-kernel': {
    title: 'the recurrent kernel of each gate is transposed',
    values: [],
    node: transposedGates('recurrentKernel'),
  },
  'reshaped-kernel': {
    title: 'the input kernel was reshaped where it had to be transposed',
    values: [],
    node: reshapedKernel('kernel'),
  },
  'reshaped-recurrent-kernel': {
    title: 'the recurrent kernel was reshaped where it had to be transposed',
    values: [],
    node: reshapedKernel('recurrentKernel'),
  },
  'swapped-kernels': {
    title: 'kernel and recurrent kernel are exchanged',
    values: [],
    node: swappedKernels,
  },
  'lost-column': {
    title: "a loop keeps only the last column of U, the notebook's lost-column bug",
    values: [],
    node: lostColumn,
    afterConventions: true,
  },
  'bias-rows-swapped': {
    title: 'input bias and recurrent bias are exchanged',
    values: [],
    node: swappedBiases,
  },
  'without-recurrent-bias': {
    title: 'the recurrent bias is left out',
    values: [],
    node: withoutBias(['recurrentBias']),
  },
  'without-input-bias': {
    title: 'the input bias is left out',
    values: [],
    node: withoutBias(['inputBias']),
  },
  'without-biases': {
    title: 'both biases are left out',
    values: [],
    node: withoutBias(['inputBias', 'recurrentBias']),
  },
  'float16-weights': {
    title: 'the weights were rounded to float16',
    values: [],
    node: float16Weights,
  },
  'scaled-weights': {
    title: 'kernels and biases are scaled by a factor',
    values: factors,
    node: scaled(false),
    scales: 'weights',
  },
  'scaled-kernels': {
    title: 'the kernels, but not the biases, are scaled by a factor',
    values: factors,
    node: scaled(true),
    scales: 'kernels',
  },
  'halves-swapped': {
    title: 'the halves of a Bidirectional layer stand in the other order',
    values: [],
    graph: halvesSwapped,
  },
  'half-weights-swapped': {
    title: 'the halves of a Bidirectional layer have each other’s weights',
    values: [],
    graph: halfWeightsSwapped,
  },
  'backward-unaligned': {
    title: 'the backward half is not turned round to the forward one',
    values: [],
    graph: backwardUnaligned,
  },
  'before-last-layer': {
    title: 'the output was taken before the last layer',
    values: [],
    graph: beforeLastLayer,
  },
  reversed: {
    title: 'the sequence was fed from its end',
    values: [],
    run: reversed,
  },
  backwards: {
    title: 'the sequence was read from its end, and the outputs turned round',
    values: [],
    run: backwards,
  },
  'time-batch-swapped': {
    title: 'the axes of batch and time are exchanged',
    values: [],
    run: timeBatchSwapped,
  },
  stateless: {
    title: 'the state is not carried from step to step',
    values: [],
    run: stateless,
  },
  'state-carried-over-rows': {
    title: 'the state is carried on from one sequence of the batch to the next',
    values: [],
    run: stateCarriedOverRows,
  },
  'initial-state-ignored': {
    title: 'the initial state is left out',
    values: [],
    run: initialStateIgnored,
  },
} as const satisfies Record<string, HypothesisEntry>

export type HypothesisName = keyof typeof hypothesisTable

export function entryOf(name: HypothesisName): HypothesisEntry {
  return hypothesisTable[name]
}

export const hypothesisNames = Object.keys(hypothesisTable) as readonly HypothesisName[]

/** The hypothesis that a convention is. */
export const conventionHypotheses: readonly (readonly [GruConventionKey, HypothesisName])[] =
  hypothesisNames.flatMap((name) => {
    const key = entryOf(name).convention
    return key === undefined ? [] : [[key, name] as const]
  })
