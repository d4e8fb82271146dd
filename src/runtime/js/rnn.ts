/**
 * The simple recurrent layer in plain JavaScript: how it is planned, how its weights are packed, and
 * one step. Weights: panels (panels.ts) of the one gate. Biases: [units], the sum of both.
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { RnnNode } from '../../model/types.ts'
import { type LayerRuntime, sweepOver } from '../layers.ts'
import { padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
import { addProducts, packBias, packPanels, panelsSize } from './panels.ts'
import { causalSteps, overSteps, planSteps, type StepsKernel } from './steps.ts'

export interface RnnKernel extends StepsKernel {
  readonly kind: 'rnn'
  readonly activation: ElementwiseActivation
  readonly clip: number | null
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

export const rnn: LayerRuntime<RnnNode, RnnKernel> = {
  causal: causalSteps,
  place: (node, shape) => sweepOver(shape(node.inputs.x), node.direction),

  plan(node, _, builder) {
    const { features, units } = node
    return {
      kind: 'rnn',
      ...planSteps(node, builder),
      activation: node.activation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features, units, 1)),
      biases: builder.weights(padded(units)),
    }
  },

  pack({ weights }, kernel, memory) {
    packPanels([weights.kernel], [weights.recurrentKernel], kernel, memory)
    packBias(memory, kernel.biases, kernel.units, weights.inputBias, weights.recurrentBias)
  },

  js: (kernel, ops, place) => overSteps(kernel, place, ops, step),
}

function step(kernel: RnnKernel, ops: Ops, m: Memory, x: number, h: number, out: number): void {
  const lanes = padded(kernel.units)
  m.copyWithin(out, kernel.biases, kernel.biases + lanes)

  // h' = φ(bias + W·x + U·h)
  addProducts(ops, m, kernel, 'kernel', 1, 0, 1, x, out)
  addProducts(ops, m, kernel, 'recurrentKernel', 1, 0, 1, h, out)
  if (kernel.clip !== null) ops.clip(m, out, kernel.clip, lanes)
  ops.activate(m, out, lanes, kernel.activation)
}
