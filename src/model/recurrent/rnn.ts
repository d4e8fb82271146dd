/** Builds simple recurrent nodes from their arrays, with decisions as for a GRU (gru.ts). */

import type { ConventionOptions } from '../conventions/conventions.ts'
import { Decisions } from '../conventions/grounds.ts'
import type { RnnNode, Unwired } from '../types.ts'
import {
  type CellGrounds,
  type PackedArrays,
  type RecurrentBehaviour,
  unpackBiases,
  unpackKernels,
} from './packed.ts'

/**
 * @param arrays of width `units`.
 * @throws GruvError `bad-shape` when the arrays do not fit together, `bad-argument` when an option
 *   contradicts them.
 */
export function rnnNode(
  name: string,
  arrays: PackedArrays,
  grounds: CellGrounds = {},
  options: ConventionOptions = {},
  { direction = 'forward', maskedOutput = 'repeat', clip = null }: RecurrentBehaviour = {},
): Unwired<RnnNode> {
  const record = new Decisions()
  const layout = unpackKernels(name, { title: 'a simple RNN', gates: 1 }, arrays, grounds, options)
  const { kernel, recurrentKernel, features, units } = layout
  record.note('transposed', layout.transposed)
  const activation = record.decideActivation('activation', options, grounds, 'tanh')
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
