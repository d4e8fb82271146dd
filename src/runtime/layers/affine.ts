/**
 * Affine and batch normalisation layers: how they are planned, and their weights packed: centre
 * [width], scale [width], shift [width].
 */

import type { AffineNode, BatchNormNode } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import type { Memory } from '../js/ops.ts'
import { type LayerPlan, overVectors, roleIn } from '../layer.ts'
import { type PlanBuilder, padded, type Role } from '../plan.ts'
import { planMap, type VectorMap } from './vectors.ts'

export interface Offsets {
  /** Of centre, scale and shift in the weights, one after the other. */
  readonly weights: number
}

export interface AffineKernel extends VectorMap, Offsets {
  readonly kind: 'affine'
}

export interface BatchNormKernel extends VectorMap, Offsets {
  readonly kind: 'batchNorm'
}

export const affine: LayerPlan<AffineNode, AffineKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan: (node, placement, builder) => ({
    kind: 'affine',
    ...plan(node, roleIn(placement), builder),
  }),
  pack({ weights: { scale, shift } }, kernel, memory) {
    write(kernel, memory, (u) => [0, at(scale, u, 1), at(shift, u, 0)])
  },
}

export const batchNorm: LayerPlan<BatchNormNode, BatchNormKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan: (node, placement, builder) => ({
    kind: 'batchNorm',
    ...plan(node, roleIn(placement), builder),
  }),
  pack({ weights: { gamma, beta, mean, variance }, epsilon }, kernel, memory) {
    write(kernel, memory, (u) => [
      mean.data[u],
      at(gamma, u, 1) / Math.sqrt(variance.data[u] + epsilon),
      at(beta, u, 0),
    ])
  },
}

function plan(
  node: AffineNode | BatchNormNode,
  role: Role,
  builder: PlanBuilder,
): VectorMap & Offsets {
  const map = planMap(node, role, builder)
  return { ...map, weights: builder.weights(3 * padded(map.width)) }
}

function write(
  { width, lanes, weights }: VectorMap & Offsets,
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
