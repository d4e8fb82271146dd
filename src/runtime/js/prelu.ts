/** A rectifier with a trained slope for each unit, in plain JavaScript. Weights: alpha [width]. */

import type { PreluNode } from '../../model/types.ts'
import { type LayerRuntime, overVectors, roleIn } from '../layers.ts'
import { overFrame, planMap, type VectorMap } from './vectors.ts'

export interface PreluKernel extends VectorMap {
  readonly kind: 'prelu'
  /** Offset in the weights. */
  readonly alpha: number
}

export const prelu: LayerRuntime<PreluNode, PreluKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan(node, placement, builder) {
    const map = planMap(node, roleIn(placement), builder)
    return { kind: 'prelu', ...map, alpha: builder.weights(map.lanes) }
  },
  pack({ weights: { alpha } }, kernel, memory) {
    const { data } = alpha
    for (let u = 0; u < kernel.width; u++)
      memory[kernel.alpha + u] = data[data.length === 1 ? 0 : u]
  },
  js(kernel, _, place) {
    const { memory: m } = place
    const { lanes, alpha } = kernel
    overFrame(kernel, place, (x, y) => {
      for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] < 0 ? m[alpha + i] * m[x + i] : m[x + i]
    })
  },
}
