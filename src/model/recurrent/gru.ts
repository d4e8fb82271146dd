/**
 * Builds GRU nodes from packed arrays: the one place where a framework's layout becomes gruv's.
 *
 * What the reader knows goes in as grounds; the caller's options override them. What neither states
 * follows from the shapes where possible, and is otherwise assumed as Keras has it. Every decision
 * is recorded as a `Convention`, so that `inspect` can show it.
 */

import type { Activation } from '../activation/activations.ts'
import type { ConventionOptions, GateOrder } from '../conventions/conventions.ts'
import { assumed, chosen, Decisions, type Ground } from '../conventions/grounds.ts'
import type { GruNode, Unwired } from '../types.ts'
import { splitGates } from './gates.ts'
import {
  type Biases,
  type CellGrounds,
  type PackedArrays,
  type RecurrentBehaviour,
  unpackBiases,
  unpackKernels,
} from './packed.ts'

/** Width 3·units: update, reset and candidate. */
export type GruArrays = PackedArrays

export interface GruGrounds extends CellGrounds {
  readonly gateOrder?: Ground<GateOrder>
  readonly reset?: Ground<'after' | 'before'>
  readonly update?: Ground<'keeps' | 'updates'>
  readonly bias?: Ground<'separate' | 'merged'>
  readonly recurrentActivation?: Ground<Activation>
}

/**
 * @param name for messages and for the names of states.
 * @throws GruvError `bad-shape` when the arrays do not fit together, `bad-argument` when an option
 *   contradicts them.
 */
export function gruNode(
  name: string,
  arrays: GruArrays,
  grounds: GruGrounds = {},
  options: ConventionOptions = {},
  { direction = 'forward', maskedOutput = 'repeat', clip = null }: RecurrentBehaviour = {},
): Unwired<GruNode> {
  const record = new Decisions()
  const layout = unpackKernels(name, { title: 'a GRU', gates: 3 }, arrays, grounds, options)
  const { kernel, recurrentKernel, features, units } = layout
  const order = record.decide('gateOrder', options.gateOrder, grounds.gateOrder ?? assumed('zrn'))
  record.note('transposed', layout.transposed)

  const biases = unpackBiases(name, arrays, units, 3 * units)
  const reset = record.decide('reset', options.reset, grounds.reset ?? resetFromBiases(biases))
  const update = record.decide('update', options.update, grounds.update ?? assumed('keeps'))
  const bias = decideBias(biases, grounds.bias, options.bias)
  record.note('bias', bias)
  const activation = record.decideActivation('activation', options, grounds, 'tanh')
  const recurrentActivation = record.decideActivation(
    'recurrentActivation',
    options,
    grounds,
    'sigmoid',
  )

  return {
    kind: 'gru',
    name,
    features,
    units,
    resetAfter: reset === 'after',
    update,
    bias: bias.value,
    activation,
    recurrentActivation,
    direction,
    maskedOutput,
    clip,
    conventions: record.conventions,
    weights: {
      kernel: splitGates(kernel, order),
      recurrentKernel: splitGates(recurrentKernel, order),
      inputBias: biases.input === null ? null : splitGates(biases.input, order),
      recurrentBias: biases.recurrent === null ? null : splitGates(biases.recurrent, order),
    },
  }
}

function resetFromBiases({ input, recurrent, evidence }: Biases): Ground<'after' | 'before'> {
  if (recurrent !== null) {
    return {
      value: 'after',
      origin: 'implied',
      why: `${evidence}, as Keras writes reset_after=True`,
    }
  }
  if (input !== null) {
    return {
      value: 'before',
      origin: 'implied',
      why: `${evidence}, as Keras writes reset_after=False`,
    }
  }
  return {
    value: 'after',
    origin: 'assumed',
    why: `${evidence}, which would tell; Keras since TensorFlow 2 does so`,
  }
}

function decideBias(
  { input, recurrent, evidence }: Biases,
  ground: Ground<'separate' | 'merged'> | undefined,
  choice: 'separate' | 'merged' | undefined,
): Ground<'separate' | 'merged' | 'none'> {
  if (input === null && recurrent === null)
    return { value: 'none', origin: 'implied', why: evidence }
  if (choice !== undefined) return chosen('bias', choice)
  if (ground !== undefined) return ground
  return recurrent === null
    ? { value: 'merged', origin: 'implied', why: evidence }
    : { value: 'separate', origin: 'implied', why: `${evidence}, as Keras writes them` }
}
