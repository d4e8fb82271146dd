/** An activation as a layer of its own, in plain JavaScript. */

import { type Activation, isElementwise } from '../../model/activations.ts'
import type { ActivationNode } from '../../model/types.ts'
import { type LayerRuntime, overVectors, roleIn } from '../layers.ts'
import { overFrame, planMap, type VectorMap } from './vectors.ts'

export interface ActivationKernel extends VectorMap {
  readonly kind: 'activation'
  readonly activation: Activation
}

export const activation: LayerRuntime<ActivationNode, ActivationKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan: (node, placement, builder) => ({
    kind: 'activation',
    activation: node.activation,
    ...planMap(node, roleIn(placement), builder),
  }),
  js(kernel, ops, place) {
    const { activation, width, lanes } = kernel
    const { memory } = place
    overFrame(kernel, place, (from, to) => {
      memory.copyWithin(to, from, from + lanes)
      if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
      else ops.softmax(memory, to, width)
    })
  },
}
