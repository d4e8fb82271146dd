/**
 * Layer normalisation in plain JavaScript, each operation rounded:
 * mean = S(x)/width; d = x − mean; y = d / √(S(d·d)/width + epsilon) · gamma + beta, where S adds
 * lane by lane as softmax does: ((x0+x4+…) + (x1+x5+…)) + ((x2+x6+…) + (x3+x7+…)).
 * Weights: gamma [width], beta [width].
 */

import type { LayerNormNode } from '../../model/types.ts'
import { type LayerRuntime, overVectors, roleIn } from '../layers.ts'
import type { Memory } from './ops.ts'
import { overFrame, planMap, type VectorMap } from './vectors.ts'

export interface LayerNormKernel extends VectorMap {
  readonly kind: 'layerNorm'
  readonly epsilon: number
  /** Offset of gamma and then beta in the weights. */
  readonly weights: number
}

export const layerNorm: LayerRuntime<LayerNormNode, LayerNormKernel> = {
  place: (node, shape) => (node.axes === 1 ? overVectors(shape(node.inputs.x)) : null),
  plan(node, placement, builder) {
    const map = planMap(node, roleIn(placement), builder)
    return {
      kind: 'layerNorm',
      ...map,
      epsilon: node.epsilon,
      weights: builder.weights(2 * map.lanes),
    }
  },
  pack({ weights: { gamma, beta } }, { width, lanes, weights }, memory) {
    for (let u = 0; u < width; u++) {
      memory[weights + u] = gamma?.data[u] ?? 1
      memory[weights + lanes + u] = beta?.data[u] ?? 0
    }
  },
  js(kernel, ops, place) {
    const { memory: m } = place
    const { width, lanes, weights, epsilon } = kernel
    overFrame(kernel, place, (x, y) => {
      const mean = ops.round(laneSum(m, x, width, ops.round, false) / width)
      for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] - mean
      const variance = ops.round(laneSum(m, y, width, ops.round, true) / width)
      const deviation = ops.round(Math.sqrt(ops.round(variance + ops.round(epsilon))))
      for (let i = 0; i < lanes; i++) m[y + i] /= deviation
      for (let i = 0; i < lanes; i++) m[y + i] *= m[weights + i]
      for (let i = 0; i < lanes; i++) m[y + i] += m[weights + lanes + i]
    })
  },
}

/** S of the numbers, or of their squares. */
function laneSum(
  m: Memory,
  at: number,
  width: number,
  round: (a: number) => number,
  squared: boolean,
): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  for (let i = 0; i < width; i++) {
    const a = m[at + i]
    const term = squared ? round(a * a) : a
    if (i % 4 === 0) s0 = round(s0 + term)
    else if (i % 4 === 1) s1 = round(s1 + term)
    else if (i % 4 === 2) s2 = round(s2 + term)
    else s3 = round(s3 + term)
  }
  return round(round(s0 + s1) + round(s2 + s3))
}
