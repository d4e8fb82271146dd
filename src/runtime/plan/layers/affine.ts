/**
 * Plans affine and batch normalisation layers, and packs their weights: centre [width],
 * scale [width], shift [width].
 */

import type { AffineNode, BatchNormNode } from '../../../model/types.ts'
import type { Tensor } from '../../../tensor.ts'
import type { AffineKernel, BatchNormKernel } from '../kernels.ts'
import {
  type LayerPlan,
  type Memory,
  type PlanBuilder,
  padded,
  type Role,
  roleIn,
} from '../types.ts'
import { perVector, planMap } from './vectors.ts'

export const affine: LayerPlan<AffineNode, AffineKernel> = {
  ...perVector,
  plan: (node, placement, builder) => ({
    kind: 'affine',
    ...planWeights(node, roleIn(placement), builder),
  }),
  pack({ weights: { scale, shift } }, kernel, memory) {
    write(kernel, memory, (u) => [0, at(scale, u, 1), at(shift, u, 0)])
  },
}

export const batchNorm: LayerPlan<BatchNormNode, BatchNormKernel> = {
  ...perVector,
  plan: (node, placement, builder) => ({
    kind: 'batchNorm',
    ...planWeights(node, roleIn(placement), builder),
  }),
  pack({ weights: { gamma, beta, mean, variance }, epsilon }, kernel, memory) {
    write(kernel, memory, (u) => [
      mean.data[u],
      at(gamma, u, 1) / Math.sqrt(variance.data[u] + epsilon),
      at(beta, u, 0),
    ])
  },
}

function planWeights(node: AffineNode | BatchNormNode, role: Role, builder: PlanBuilder) {
  const map = planMap(node, role, builder)
  return { ...map, weights: builder.weights(3 * padded(map.width)) }
}

function write(
  { width, lanes, weights }: AffineKernel | BatchNormKernel,
  memory: Memory,
  numbers: (unit: number) => readonly number[],
): void {
  for (let u = 0; u < width; u++) {
    numbers(u).forEach((number, i) => {
      memory[weights + i * lanes + u] = number
    })
  }
}

/** Number u, where one may stand for all. */
function at(tensor: Tensor | null, u: number, missing: number): number {
  if (tensor === null) return missing
  return tensor.data[tensor.data.length === 1 ? 0 : u]
}
