/** Plans layer normalisation, and packs its weights: gamma [width], beta [width]. */

import type { LayerNormNode } from '../../../model/types.ts'
import type { LayerNormKernel } from '../kernels.ts'
import { type LayerPlan, roleIn } from '../types.ts'
import { perVector, planMap } from './vectors.ts'

export const layerNorm: LayerPlan<LayerNormNode, LayerNormKernel> = {
  ...perVector,
  place: (node, shape) => (node.axes === 1 ? perVector.place(node, shape) : null),
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
