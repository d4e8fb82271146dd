/**
 * The Dense layer: how it is planned, and how its weights are packed.
 * Weights: [vector of 4 units][features][4 lanes], then the biases [units].
 */

import type { Activation } from '../../model/activations.ts'
import type { DenseNode } from '../../model/types.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { LANES, padded } from '../plan.ts'

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
      panels: builder.weights(features * padded(units)),
      biases: builder.weights(padded(units)),
    }
  },

  pack({ weights: { kernel, bias } }, { features, units, activation, panels, biases }, memory) {
    for (let u = 0; u < units; u++) {
      const vector = panels + Math.floor(u / LANES) * features * LANES + (u % LANES)
      for (let i = 0; i < features; i++) memory[vector + i * LANES] = kernel.data[i * units + u]
      memory[biases + u] = bias?.data[u] ?? 0
    }
    // Lanes that are no units have no part in a softmax.
    if (activation.kind === 'softmax')
      memory.fill(Number.NEGATIVE_INFINITY, biases + units, biases + padded(units))
  },
}
