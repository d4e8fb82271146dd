/** An activation as a layer of its own: how it is planned. */

import type { Activation } from '../../model/activations.ts'
import type { ActivationNode } from '../../model/types.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { planMap, type VectorMap } from './vectors.ts'

export interface ActivationKernel extends VectorMap {
  readonly kind: 'activation'
  readonly activation: Activation
}

export const activation: LayerPlan<ActivationNode, ActivationKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan: (node, placement, builder) => ({
    kind: 'activation',
    activation: node.activation,
    ...planMap(node, roleIn(placement), builder),
  }),
}
