/**
 * Plans an embedding. The table stays where the model has it, outside the program's memory: it may
 * be far larger than everything else together, and a step needs one row.
 */

import type { EmbeddingNode } from '../../../model/types.ts'
import type { EmbeddingKernel } from '../kernels.ts'
import { type LayerPlan, roleIn, sweepOver } from '../types.ts'

export const embedding: LayerPlan<EmbeddingNode, EmbeddingKernel> = {
  place(node, shape) {
    const x = shape(node.inputs.x)
    if (x.length === 1) return { sweep: 'once', rows: x[0], steps: 1 }
    return x.length === 2 ? sweepOver(x, 'forward') : null
  },

  obstacle: () => null,

  plan(node, placement, builder) {
    const role = roleIn(placement)
    const y = builder.output('y', role)
    return {
      kind: 'embedding',
      node: node.name,
      units: node.units,
      x: builder.input('x', role),
      y: y < 0 ? builder.local('y', node.units, role) : y,
      mask: builder.output('mask', role),
      overTime: role === 'step',
    }
  },
}
