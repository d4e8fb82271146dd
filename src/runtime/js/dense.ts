/**
 * The Dense layer in plain JavaScript.
 * Weights: [vector of 4 units][features][4 lanes], then the biases [units].
 */

import { type Activation, isElementwise } from '../../model/activations.ts'
import type { DenseNode } from '../../model/types.ts'
import { type LayerRuntime, overVectors, roleIn } from '../layers.ts'
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

export const dense: LayerRuntime<DenseNode, DenseKernel> = {
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

  pack({ weights: { kernel, bias } }, { features, units, panels, biases }, memory) {
    for (let u = 0; u < units; u++) {
      const vector = panels + Math.floor(u / LANES) * features * LANES + (u % LANES)
      for (let i = 0; i < features; i++) memory[vector + i * LANES] = kernel.data[i * units + u]
      memory[biases + u] = bias?.data[u] ?? 0
    }
  },

  js({ features, units, activation, x, y, overTime, panels, biases }, ops, place) {
    const { memory, layout } = place
    const lanes = padded(units)
    const xStride = padded(features)
    const perRow = overTime ? layout.steps : 1
    const steps = overTime ? place.steps : 1
    for (let row = 0; row < place.rows; row++) {
      let from = place.frame + layout.offsets[x] + row * perRow * xStride
      let to = place.frame + layout.offsets[y] + row * perRow * lanes
      for (let t = 0; t < steps; t++) {
        memory.copyWithin(to, biases, biases + lanes)
        for (let u = 0, w = panels; u < lanes; u += LANES, w += features * LANES) {
          ops.accumulate(memory, to + u, w, LANES, from, features)
        }
        if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
        else ops.softmax(memory, to, units)
        from += xStride
        to += lanes
      }
    }
  },
}
