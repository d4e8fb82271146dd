/** The mark at steps in which every feature is one value: how it is planned. */

import type { MaskingNode } from '../../model/types.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { planMap, type VectorMap } from './vectors.ts'

export interface MaskingKernel extends VectorMap {
  readonly kind: 'masking'
  readonly value: number
  /** Value index; −1 where nobody reads it. */
  readonly mask: number
}

export const masking: LayerPlan<MaskingNode, MaskingKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
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
