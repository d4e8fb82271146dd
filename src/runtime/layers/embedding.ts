/**
 * Rows of a table: how they are planned. The table stays where the model has it, outside the
 * program's memory: it may be far larger than everything else together, and a step needs one row.
 */

import type { EmbeddingNode } from '../../model/types.ts'
import { type LayerPlan, sweepOver } from '../layer.ts'

export interface EmbeddingKernel {
  readonly kind: 'embedding'
  readonly node: string
  readonly units: number
  /** Value indices; −1 where nobody reads the mask. */
  readonly x: number
  readonly y: number
  readonly mask: number
  readonly overTime: boolean
}

export const embedding: LayerPlan<EmbeddingNode, EmbeddingKernel> = {
  place(node, shape) {
    const x = shape(node.inputs.x)
    if (x.length === 1) return { sweep: 'once', rows: x[0], steps: 1 }
    return x.length === 2 ? sweepOver(x, 'forward') : null
  },

  plan(node, { sweep }, builder) {
    const role = sweep === 'once' ? 'row' : 'step'
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
