/** Layer normalisation: how it is planned, and its weights packed: gamma [width], beta [width]. */

import type { LayerNormNode } from '../../model/types.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { planMap, type VectorMap } from './vectors.ts'

export interface LayerNormKernel extends VectorMap {
  readonly kind: 'layerNorm'
  readonly epsilon: number
  /** Offset of gamma and then beta in the weights. */
  readonly weights: number
}

export const layerNorm: LayerPlan<LayerNormNode, LayerNormKernel> = {
  place: (node, shape) => (node.axes === 1 ? overVectors(shape(node.inputs.x)) : null),
  plan(node, placement, builder) {
    const map = planMap(node, roleIn(placement), builder)
    return {
      kind: 'layerNorm',
      ...map,
      epsilon: node.epsilon,
      weights: builder.weights(2 * map.lanes),
    }
  },
  pack({ weights: { gamma, beta } }, { width, lanes, weights }, memory) {
    for (let u = 0; u < width; u++) {
      memory[weights + u] = gamma?.data[u] ?? 1
      memory[weights + lanes + u] = beta?.data[u] ?? 0
    }
  },
}
