/**
 * Plans a simple recurrent layer, and packs its weights: panels (panels.ts) of the one gate, and
 * biases [units], the sum of both.
 */

import type { RnnNode } from '../../../model/types.ts'
import type { RnnKernel } from '../kernels.ts'
import { type LayerPlan, padded } from '../types.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'
import { overSteps, planPorts, planRecurrent } from './recurrent.ts'

export const rnn: LayerPlan<RnnNode, RnnKernel> = {
  ...overSteps,

  plan(node, _, builder) {
    const { features, units } = node
    return {
      kind: 'rnn',
      ...planRecurrent(node, builder),
      activation: node.activation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features + units, units, 1)),
      biases: builder.weights(padded(units)),
      ...planPorts(builder),
    }
  },

  pack({ weights }, kernel, memory) {
    packPanels([[weights.kernel], [weights.recurrentKernel]], kernel.units, kernel.panels, memory)
    packBias(memory, kernel.biases, kernel.units, weights.inputBias, weights.recurrentBias)
  },
}
