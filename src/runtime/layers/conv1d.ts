/**
 * A causal convolution over time: a Dense layer on the steps it can see, with the past ones in its
 * state. How it is planned, and how its weights are packed. Every other convolution works on whole
 * tensors.
 *
 * Weights: [vector of 4 units][size · features][4 lanes], then the biases [units]. State: the
 * last (size − 1)·dilation inputs, oldest first.
 */

import type { Activation } from '../../model/activations.ts'
import { isCausal } from '../../model/causal.ts'
import type { Conv1dNode } from '../../model/types.ts'
import { type LayerPlan, sweepOver } from '../layer.ts'
import { LANES, padded } from '../plan.ts'

export interface Conv1dKernel {
  readonly kind: 'conv1d'
  readonly node: string
  readonly features: number
  readonly units: number
  readonly size: number
  readonly dilation: number
  readonly activation: Activation
  /** Value indices. */
  readonly x: number
  readonly y: number
  /** Offset in the state row; −1 where one step is all there is to see. */
  readonly past: number
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

function whyNot({ stride, groups, size, dilation, padding }: Conv1dNode): string {
  if (stride !== 1) return 'it gives fewer steps than it takes'
  const past = padding !== 'same' && padding.before === (size - 1) * dilation && padding.after === 0
  return past && groups !== 1
    ? 'its channels are in groups'
    : 'its window reaches beyond the present step'
}

export const conv1d: LayerPlan<Conv1dNode, Conv1dKernel> = {
  causal: (node) => isCausal(node) || whyNot(node),
  place: (node, shape) => (isCausal(node) ? sweepOver(shape(node.inputs.x), 'forward') : null),

  plan(node, _, builder) {
    const { features, units, size, dilation, activation } = node
    const y = builder.output('y', 'step')
    builder.scratch(size * features)
    return {
      kind: 'conv1d',
      node: node.name,
      features,
      units,
      size,
      dilation,
      activation,
      x: builder.input('x', 'step'),
      y: y < 0 ? builder.local('y', units, 'step') : y,
      past: size === 1 ? -1 : builder.state('past'),
      panels: builder.weights(size * features * padded(units)),
      biases: builder.weights(padded(units)),
    }
  },

  pack(
    { weights: { kernel, bias } },
    { features, units, size, activation, panels, biases },
    memory,
  ) {
    const rows = size * features
    for (let u = 0; u < units; u++) {
      const vector = panels + Math.floor(u / LANES) * rows * LANES + (u % LANES)
      for (let i = 0; i < rows; i++) memory[vector + i * LANES] = kernel.data[i * units + u]
      memory[biases + u] = bias?.data[u] ?? 0
    }
    // Lanes that are no units have no part in a softmax.
    if (activation.kind === 'softmax')
      memory.fill(Number.NEGATIVE_INFINITY, biases + units, biases + padded(units))
  },
}
