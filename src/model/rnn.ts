/** A simple recurrent node from its arrays; decisions are taken and recorded as for a GRU (gru.ts). */

import type { Activation } from './activations.ts'
import type { ConventionOptions } from './conventions.ts'
import { Decisions, type Ground } from './grounds.ts'
import {
  type PackedArrays,
  type RecurrentBehaviour,
  unpackBiases,
  unpackKernels,
} from './packed.ts'
import type { RnnNode, Unwired } from './types.ts'

export interface RnnGrounds {
  /** Shapes tell it only where units and features differ. */
  readonly transposed?: Ground<'yes' | 'no'>
  readonly activation?: Ground<Activation>
}

/**
 * @param arrays of width `units`.
 * @throws GruvError `bad-shape` when the arrays do not fit together, `bad-argument` when an option
 *   contradicts them.
 */
export function rnnNode(
  name: string,
  arrays: PackedArrays,
  grounds: RnnGrounds = {},
  options: ConventionOptions = {},
  { direction = 'forward', maskedOutput = 'repeat', clip = null }: RecurrentBehaviour = {},
): Unwired<RnnNode> {
  const record = new Decisions()
  const layout = unpackKernels(
    name,
    { title: 'a simple RNN', gates: 1 },
    arrays,
    grounds.transposed,
    options.transposed,
  )
  const { kernel, recurrentKernel, features, units } = layout
  record.note('transposed', layout.transposed)
  const activation = record.decideActivation(
    'activation',
    options.activation,
    grounds.activation,
    'tanh',
  )
  const { input, recurrent } = unpackBiases(name, arrays, units, units)
  return {
    kind: 'rnn',
    name,
    features,
    units,
    activation,
    direction,
    maskedOutput,
    clip,
    conventions: record.conventions,
    weights: { kernel, recurrentKernel, inputBias: input, recurrentBias: recurrent },
  }
}
