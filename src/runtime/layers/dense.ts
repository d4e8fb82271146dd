/**
 * The Dense layer: how it is planned, and how its weights are packed.
 * Weights: panels (panels.ts) of one gate, then the biases [units].
 */

import type { Activation } from '../../model/activations.ts'
import type { DenseNode } from '../../model/types.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { padded } from '../plan.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'

export interface DenseKernel {
  readonly kind: 'dense'
  readonly node: string
  readonly features: number
  readonly units: number
  readonly activation: Activation
  /** Value indices. */
  readonly x: number
  readonly y: number
  readonly overTime: boolean
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

export const dense: LayerPlan<DenseNode, DenseKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),

  plan(node, placement, builder) {
    const { features, units } = node
    const role = roleIn(placement)
    const y = builder.output('y', role)
    return {
      kind: 'dense',
      node: node.name,
      features,
      units,
      activation: node.activation,
      x: builder.input('x', role),
      y: y < 0 ? builder.local('y', units, role) : y,
      overTime: role === 'step',
      panels: builder.weights(panelsSize(features, units, 1)),
      biases: builder.weights(padded(units)),
    }
  },

  pack({ weights: { kernel, bias } }, { units, panels, biases }, memory) {
    packPanels([[kernel]], units, panels, memory)
    packBias(memory, biases, units, bias, null)
  },
}
