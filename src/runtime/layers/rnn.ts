/**
 * The simple recurrent layer: how it is planned, and how its weights are packed.
 * Weights: panels (panels.ts) of the one gate. Biases: [units], the sum of both.
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { RnnNode } from '../../model/types.ts'
import { type LayerPlan, sweepOver } from '../layer.ts'
import { padded } from '../plan.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'
import { planSteps, type StepsKernel } from './steps.ts'

export interface RnnKernel extends StepsKernel {
  readonly kind: 'rnn'
  readonly activation: ElementwiseActivation
  readonly clip: number | null
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

export const rnn: LayerPlan<RnnNode, RnnKernel> = {
  place: (node, shape) => sweepOver(shape(node.inputs.x), node.direction),

  plan(node, _, builder) {
    const { features, units } = node
    return {
      kind: 'rnn',
      ...planSteps(node, builder),
      activation: node.activation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features + units, units, 1)),
      biases: builder.weights(padded(units)),
    }
  },

  pack({ weights }, kernel, memory) {
    packPanels([[weights.kernel], [weights.recurrentKernel]], kernel.units, kernel.panels, memory)
    packBias(memory, kernel.biases, kernel.units, weights.inputBias, weights.recurrentBias)
  },
}
