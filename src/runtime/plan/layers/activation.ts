/** Plans an activation that is a layer of its own. */

import type { ActivationNode } from '../../../model/types.ts'
import type { ActivationKernel } from '../kernels.ts'
import { type LayerPlan, roleIn } from '../types.ts'
import { perVector, planMap } from './vectors.ts'

export const activation: LayerPlan<ActivationNode, ActivationKernel> = {
  ...perVector,
  plan: (node, placement, builder) => ({
    kind: 'activation',
    activation: node.activation,
    ...planMap(node, roleIn(placement), builder),
  }),
}
