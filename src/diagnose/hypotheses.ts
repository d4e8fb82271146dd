/**
 * THE table of hypotheses: every mistake that is known to happen between a trained GRU and the
 * numbers computed from it. `diagnose` searches it, `--quirk` takes its names, the help and the
 * documentation print it, and the sensitivity test plants every entry.
 */

import { activation, showActivation } from '../model/activation/activations.ts'
import { conventionTable } from '../model/conventions/conventions.ts'
import type { DenseNode, Model } from '../model/types.ts'
import {
  type Convention,
  lostColumn,
  type NodeChange,
  reread,
  reshapedKernel,
  roundedWeights,
  scaled,
  swappedBiases,
  swappedKernels,
  transposedGates,
  withoutBias,
} from './change.ts'
import {
  backwardUnaligned,
  beforeLastLayer,
  firstStepWithoutBias,
  halfWeightsSwapped,
  halvesSwapped,
  roundedDense,
} from './graph-change.ts'
import { int8Rounding, type Rounding, toFixedPoint, toFloat16 } from './rounding.ts'
import {
  backwards,
  initialStateIgnored,
  type RunChange,
  reversed,
  stateCarriedOverRows,
  stateless,
  stateReset,
  timeBatchSwapped,
} from './runs.ts'

interface HypothesisEntry {
  /** Completes the sentence "perhaps …". */
  readonly title: string
  /** The values to try; empty where it takes none. */
  readonly values: readonly string[]
  /** Set where the values are those of a convention, which has a flag of its own. */
  readonly convention?: Convention
  /** Exactly one of these three: the change of each recurrent layer, of the graph, or of a run. */
  readonly node?: NodeChange
  readonly graph?: (model: Model) => Model | null
  readonly run?: (value: string) => RunChange
  /** What it does to Dense layers, where it is a change of all layers. */
  readonly dense?: (node: DenseNode, value: string) => DenseNode
  /** Set where the value is any number of this kind, and the search takes it from the data. */
  readonly takes?: 'factor' | 'count'
  /** Set where it multiplies weights by its value: only the kernels, or all weights. */
  readonly scales?: 'kernels' | 'weights'
  /** Its effect depends on the gate order and on the reset, so conventions are applied first. */
  readonly afterConventions?: true
  /** Never tried together with another mistake, nor beside what fits: see `unseenBeside`. */
  readonly alone?: true
}

/** The rows of mistakes without a value: in each recurrent layer, in the graph, in a run. */
const none: readonly string[] = []
const inLayers = (title: string, node: NodeChange) => ({ title, values: none, node })
const inGraph = (title: string, graph: (model: Model) => Model | null) => ({
  title,
  values: none,
  graph,
})
const inRun = (title: string, run: RunChange) => ({ title, values: none, run: () => run })

/** The row of a rounding of all weights, or of the kernels alone. */
const inAllLayers = (
  title: string,
  values: readonly string[],
  kernelsOnly: boolean,
  by: (value: string) => Rounding,
) => ({
  title,
  values,
  node: roundedWeights(kernelsOnly, by),
  dense: roundedDense(kernelsOnly, by),
})

/** A rounding with a value, of which there are many. */
const rounding = (...row: Parameters<typeof inAllLayers>) => ({
  ...inAllLayers(...row),
  alone: true as const,
})

/** The row of a convention, which by default is tried with all its values. */
const convention = <K extends Convention>(
  key: K,
  title: string,
  values: readonly string[] = Object.keys(conventionTable[key].values),
) => ({ title, values, convention: key, node: reread(key, 'the hypothesis says so') })

/** Normal forms, so that equal activations have equal names. */
const named = (...names: readonly string[]): readonly string[] =>
  names.map((name) => showActivation(activation(name)))

/** Fraction bits of fixed-point numbers that are worth a try. */
const fractionBits = Array.from({ length: 13 }, (_, i) => String(i + 3))
const scopes = Object.keys(int8Rounding)
const toInt8 = (scope: string): Rounding => int8Rounding[scope as keyof typeof int8Rounding]

/** Scales of quantisation, powers of ten and common divisors; other factors are estimated. */
const factors = [0.1, 0.5, 2, 10, 1 / 127, 1 / 128, 1 / 255, 1 / 256, 127, 128, 255, 256].map(
  String,
)

export const hypothesisTable = {
  'gate-order': convention('gateOrder', 'the gates are packed in another order'),
  'lstm-gate-order': convention(
    'lstmGateOrder',
    'the gates of an LSTM are packed in another order',
  ),
  reset: convention('reset', 'the reset gate multiplies elsewhere'),
  update: convention('update', 'z and 1 − z are exchanged'),
  bias: convention('bias', "the candidate's recurrent bias lies elsewhere", ['separate', 'merged']),
  activation: convention(
    'activation',
    'the candidate has another activation',
    named(
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
  ),
  'recurrent-activation': convention(
    'recurrentActivation',
    'the gates have another activation',
    named(
      'sigmoid',
      'hard_sigmoid',
      `hard_sigmoid(alpha=${1 / 6})`,
      'hard_sigmoid(alpha=0.25)',
      'tanh',
      'relu',
      'linear',
      'softsign',
      'hard_tanh',
    ),
  ),
  'transposed-kernel': inLayers(
    'the input kernel of each gate is transposed',
    transposedGates('kernel'),
  ),
  'transposed-recurrent-kernel': inLayers(
    'the recurrent kernel of each gate is transposed',
    transposedGates('recurrentKernel'),
  ),
  'reshaped-kernel': inLayers(
    'the input kernel was reshaped where it had to be transposed',
    reshapedKernel('kernel'),
  ),
  'reshaped-recurrent-kernel': inLayers(
    'the recurrent kernel was reshaped where it had to be transposed',
    reshapedKernel('recurrentKernel'),
  ),
  'swapped-kernels': inLayers('kernel and recurrent kernel are exchanged', swappedKernels),
  'lost-column': {
    title: "a loop keeps only the last column of U, the notebook's lost-column bug",
    values: none,
    node: lostColumn,
    afterConventions: true,
  },
  'bias-rows-swapped': inLayers('input bias and recurrent bias are exchanged', swappedBiases),
  'without-recurrent-bias': inLayers(
    'the recurrent bias is left out',
    withoutBias(['recurrentBias']),
  ),
  'without-input-bias': inLayers('the input bias is left out', withoutBias(['inputBias'])),
  'without-biases': inLayers(
    'both biases are left out',
    withoutBias(['inputBias', 'recurrentBias']),
  ),
  'float16-weights': inAllLayers(
    'the weights were rounded to float16',
    none,
    false,
    () => toFloat16,
  ),
  'fixed-point-weights': rounding(
    'the weights were rounded to fixed point, with so many fraction bits',
    fractionBits,
    false,
    toFixedPoint,
  ),
  'fixed-point-kernels': rounding(
    'the kernels, but not the biases, were rounded to fixed point, with so many fraction bits',
    fractionBits,
    true,
    toFixedPoint,
  ),
  'int8-weights': rounding(
    'the weights were rounded to 8 bits, with a scale for each array, gate or unit',
    scopes,
    false,
    toInt8,
  ),
  'int8-kernels': rounding(
    'the kernels, but not the biases, were rounded to 8 bits, with a scale for each array, gate or unit',
    scopes,
    true,
    toInt8,
  ),
  'scaled-weights': {
    title: 'kernels and biases are scaled by a factor',
    values: factors,
    node: scaled(false),
    scales: 'weights',
    takes: 'factor',
  },
  'scaled-kernels': {
    title: 'the kernels, but not the biases, are scaled by a factor',
    values: factors,
    node: scaled(true),
    scales: 'kernels',
    takes: 'factor',
  },
  'halves-swapped': inGraph(
    'the halves of a Bidirectional layer stand in the other order',
    halvesSwapped,
  ),
  'half-weights-swapped': inGraph(
    'the halves of a Bidirectional layer have each other’s weights',
    halfWeightsSwapped,
  ),
  'backward-unaligned': inGraph(
    'the backward half is not turned round to the forward one',
    backwardUnaligned,
  ),
  'before-last-layer': inGraph('the output was taken before the last layer', beforeLastLayer),
  reversed: inRun('the sequence was fed from its end', reversed),
  backwards: inRun('the sequence was read from its end, and the outputs turned round', backwards),
  'time-batch-swapped': inRun('the axes of batch and time are exchanged', timeBatchSwapped),
  stateless: inRun('the state is not carried from step to step', stateless),
  'state-carried-over-rows': inRun(
    'the state is carried on from one sequence of the batch to the next',
    stateCarriedOverRows,
  ),
  'initial-state-ignored': inRun('the initial state is left out', initialStateIgnored),
  'state-reset': {
    title: 'the state is set back every so many steps',
    values: none,
    run: (count: string) => stateReset(Number(count)),
    takes: 'count',
    alone: true,
  },
  'first-step-without-bias': {
    ...inGraph(
      "the candidate's recurrent bias b_hn is left out in the first step",
      firstStepWithoutBias,
    ),
    alone: true,
  },
} as const satisfies Record<string, HypothesisEntry>

export type HypothesisName = keyof typeof hypothesisTable

export function entryOf(name: HypothesisName): HypothesisEntry {
  return hypothesisTable[name]
}

export const hypothesisNames = Object.keys(hypothesisTable) as readonly HypothesisName[]

/** Each convention with its hypothesis. */
export const conventionHypotheses: readonly (readonly [Convention, HypothesisName])[] =
  hypothesisNames.flatMap((name) => {
    const key = entryOf(name).convention
    return key === undefined ? [] : [[key, name] as const]
  })
