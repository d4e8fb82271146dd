/**
 * A causal convolution over time: a Dense layer on the steps it can see, with the past ones in its
 * state. How it is planned, and how its weights are packed. Every other convolution works on whole
 * tensors.
 *
 * Weights: panels (panels.ts) of size · features rows, then the biases [units]. State: the
 * last (size − 1)·dilation inputs, oldest first.
 */

import type { Activation } from '../../model/activations.ts'
import { isCausal } from '../../model/causal.ts'
import type { Conv1dNode } from '../../model/types.ts'
import { type LayerPlan, sweepOver } from '../layer.ts'
import { padded } from '../plan.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'

export interface Conv1dKernel {
  readonly kind: 'conv1d'
  readonly node: string
  readonly features: number
  readonly units: number
  readonly size: number
  readonly dilation: number
  readonly activation: Activation
  /** Value indices. */
  readonly x: number
  readonly y: number
  /** Offset in the state row; −1 where one step is all there is to see. */
  readonly past: number
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

export const conv1d: LayerPlan<Conv1dNode, Conv1dKernel> = {
  place: (node, shape) => (isCausal(node) ? sweepOver(shape(node.inputs.x), 'forward') : null),

  plan(node, _, builder) {
    const { features, units, size, dilation, activation } = node
    const y = builder.output('y', 'step')
    builder.scratch(size * features)
    return {
      kind: 'conv1d',
      node: node.name,
      features,
      units,
      size,
      dilation,
      activation,
      x: builder.input('x', 'step'),
      y: y < 0 ? builder.local('y', units, 'step') : y,
      past: builder.state('past'),
      panels: builder.weights(panelsSize(size * features, units, 1)),
      biases: builder.weights(padded(units)),
    }
  },

  pack({ weights: { kernel, bias } }, { units, panels, biases }, memory) {
    packPanels([[kernel]], units, panels, memory)
    packBias(memory, biases, units, bias, null)
  },
}
