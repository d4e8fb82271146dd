/** Plans the layer that marks the steps in which every feature is one value. */

import type { MaskingNode } from '../../../model/types.ts'
import type { MaskingKernel } from '../kernels.ts'
import { type LayerPlan, roleIn } from '../types.ts'
import { perVector, planMap } from './vectors.ts'

export const masking: LayerPlan<MaskingNode, MaskingKernel> = {
  ...perVector,
  plan(node, placement, builder) {
    const role = roleIn(placement)
    return {
      kind: 'masking',
      ...planMap(node, role, builder),
      // The input is rounded to the program's precision before it is compared.
      value: builder.precision === 'f32' ? Math.fround(node.value) : node.value,
      mask: builder.output('mask', role),
    }
  },
}
