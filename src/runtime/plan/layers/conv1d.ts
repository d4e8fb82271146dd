/**
 * Plans a causal convolution over time, and packs its weights: a Dense layer on the steps it can
 * see, with the past ones in its state. Every other convolution works on whole tensors.
 *
 * Weights: panels (panels.ts) of size · features rows, then the biases [units]. State: the
 * last (size − 1)·dilation inputs, oldest first.
 */

import { isCausal } from '../../../model/shapes/causal.ts'
import type { Conv1dNode } from '../../../model/types.ts'
import type { Conv1dKernel } from '../kernels.ts'
import { type LayerPlan, padded, sweepOver } from '../types.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'

export const conv1d: LayerPlan<Conv1dNode, Conv1dKernel> = {
  place: (node, shape) => (isCausal(node) ? sweepOver(shape(node.inputs.x), 'forward') : null),

  obstacle(node) {
    if (isCausal(node)) return null
    const { stride, groups, size, dilation, padding } = node
    if (stride !== 1) return 'it gives fewer steps than it takes'
    const past =
      padding !== 'same' && padding.before === (size - 1) * dilation && padding.after === 0
    return past && groups !== 1
      ? 'its channels are in groups'
      : 'its window reaches beyond the present step'
  },

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
