/** Plans a rectifier with a trained slope for each unit, and packs its weights: alpha [width]. */

import type { PreluNode } from '../../../model/types.ts'
import type { PreluKernel } from '../kernels.ts'
import { type LayerPlan, roleIn } from '../types.ts'
import { perVector, planMap } from './vectors.ts'

export const prelu: LayerPlan<PreluNode, PreluKernel> = {
  ...perVector,
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
