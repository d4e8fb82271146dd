/** A rectifier with a trained slope for each unit: how it is planned. Weights: alpha [width]. */

import type { PreluNode } from '../../model/types.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { planMap, type VectorMap } from './vectors.ts'

export interface PreluKernel extends VectorMap {
  readonly kind: 'prelu'
  /** Offset in the weights. */
  readonly alpha: number
}

export const prelu: LayerPlan<PreluNode, PreluKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan(node, placement, builder) {
    const map = planMap(node, roleIn(placement), builder)
    return { kind: 'prelu', ...map, alpha: builder.weights(map.lanes) }
  },
  pack({ weights: { alpha } }, kernel, memory) {
    const { data } = alpha
    for (let u = 0; u < kernel.width; u++)
      memory[kernel.alpha + u] = data[data.length === 1 ? 0 : u]
  },
}
