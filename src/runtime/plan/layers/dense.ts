/**
 * Plans a Dense layer, and packs its weights: panels (panels.ts) of one gate, then the biases
 * [units].
 */

import type { DenseNode } from '../../../model/types.ts'
import type { DenseKernel } from '../kernels.ts'
import { type LayerPlan, padded, roleIn } from '../types.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'
import { perVector } from './vectors.ts'

export const dense: LayerPlan<DenseNode, DenseKernel> = {
  ...perVector,

  plan(node, placement, builder) {
    const { features, units } = node
    const role = roleIn(placement)
    const y = builder.output('y', role)
    return {
      kind: 'dense',
      node: node.name,
      features,
      units,
      activation: node.activation,
      x: builder.input('x', role),
      y: y < 0 ? builder.local('y', units, role) : y,
      overTime: role === 'step',
      panels: builder.weights(panelsSize(features, units, 1)),
      biases: builder.weights(padded(units)),
    }
  },

  pack({ weights: { kernel, bias } }, { units, panels, biases }, memory) {
    packPanels([[kernel]], units, panels, memory)
    packBias(memory, biases, units, bias, null)
  },
}
