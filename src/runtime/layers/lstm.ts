/**
 * The LSTM layer: how it is planned, and how its weights are packed.
 *
 * Weights: panels (panels.ts) of i, f, g, o; of i, g, o where the gates are coupled. Biases:
 * [gates][units], sums of both where there are two, and peepholes behind them: [i|f|o][units].
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { LstmNode, PerLstmGate } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { type LayerPlan, sweepOver } from '../layer.ts'
import { padded } from '../plan.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'
import { planSteps, type StepsKernel } from './steps.ts'

export interface LstmKernel extends StepsKernel {
  readonly kind: 'lstm'
  readonly cell: number
  readonly coupled: boolean
  readonly activation: ElementwiseActivation
  readonly recurrentActivation: ElementwiseActivation
  readonly outputActivation: ElementwiseActivation
  readonly clip: number | null
  /** Offsets in the weights; −1 for no peepholes. */
  readonly panels: number
  readonly biases: number
  readonly peepholes: number
}

export const lstm: LayerPlan<LstmNode, LstmKernel> = {
  place: (node, shape) => sweepOver(shape(node.inputs.x), node.direction),

  plan(node, _, builder) {
    const { features, units, coupled } = node
    const lanes = padded(units)
    const gates = gatesOf(node).length
    builder.scratch(gates * lanes)
    const sees = node.weights.peephole !== null
    const biases = builder.weights((gates + (sees ? 3 : 0)) * lanes)
    return {
      kind: 'lstm',
      ...planSteps(node, builder),
      cell: builder.state('c'),
      coupled,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      outputActivation: node.outputActivation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features + units, units, gates)),
      biases,
      peepholes: sees ? biases + gates * lanes : -1,
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
