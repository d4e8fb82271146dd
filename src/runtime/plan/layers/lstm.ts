/**
 * Plans an LSTM, and packs its weights.
 *
 * Weights: panels (panels.ts) of i, f, g, o; of i, g, o where the gates are coupled. Biases:
 * [gates][units], sums of both where there are two, and peepholes behind them: [i|f|o][units].
 */

import type { LstmNode, PerLstmGate } from '../../../model/types.ts'
import type { Tensor } from '../../../tensor.ts'
import type { LstmKernel } from '../kernels.ts'
import { type LayerPlan, padded } from '../types.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'
import { overSteps, planPorts, planRecurrent } from './recurrent.ts'

export const lstm: LayerPlan<LstmNode, LstmKernel> = {
  ...overSteps,

  plan(node, _, builder) {
    const { features, units, coupled } = node
    const lanes = padded(units)
    const gates = gatesOf(node).length
    builder.scratch(gates * lanes)
    const sees = node.weights.peephole !== null
    const biases = builder.weights((gates + (sees ? 3 : 0)) * lanes)
    return {
      kind: 'lstm',
      ...planRecurrent(node, builder),
      cell: builder.state('c'),
      coupled,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      outputActivation: node.outputActivation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features + units, units, gates)),
      biases,
      peepholes: sees ? biases + gates * lanes : -1,
      ...planPorts(builder),
    }
  },

  pack({ weights }, kernel, memory) {
    const { units, biases, peepholes } = kernel
    const lanes = padded(units)
    const gates = gatesOf(kernel)
    const byGate = (arrays: PerLstmGate<Tensor>): Tensor[] => gates.map((gate) => arrays[gate])
    packPanels([weights.kernel, weights.recurrentKernel].map(byGate), units, kernel.panels, memory)
    gates.forEach((gate, at) => {
      const { inputBias: bi, recurrentBias: br } = weights
      packBias(memory, biases + at * lanes, units, bi?.[gate], br?.[gate])
    })
    if (weights.peephole === null) return
    const { i, f, o } = weights.peephole
    ;[i, f, o].forEach(({ data }, at) => {
      memory.set(data, peepholes + at * lanes)
    })
  },
}

/** The gates that have weights of their own, in the order of the panels. */
export function gatesOf({
  coupled,
}: Pick<LstmNode, 'coupled'>): readonly (keyof PerLstmGate<unknown>)[] {
  return coupled ? ['i', 'g', 'o'] : ['i', 'f', 'g', 'o']
}
