/** Marks the steps in which every feature is one value, in plain JavaScript. */

import type { MaskingNode } from '../../model/types.ts'
import { type LayerRuntime, overVectors, roleIn } from '../layers.ts'
import { padded } from '../plan.ts'
import { overFrame, planMap, type VectorMap } from './vectors.ts'

export interface MaskingKernel extends VectorMap {
  readonly kind: 'masking'
  readonly value: number
  /** Value index; −1 where nobody reads it. */
  readonly mask: number
}

export const masking: LayerRuntime<MaskingNode, MaskingKernel> = {
  place: (node, shape) => overVectors(shape(node.inputs.x)),
  plan(node, placement, builder) {
    const role = roleIn(placement)
    return {
      kind: 'masking',
      ...planMap(node, role, builder),
      // The input is rounded to the program's precision before it is compared.
      value: builder.precision === 'f32' ? Math.fround(node.value) : node.value,
      mask: builder.output('mask', role),
    }
  },
  js(kernel, _, place) {
    const { memory, frame, layout } = place
    const { width, lanes, value, mask, y } = kernel
    overFrame(kernel, place, (from, to) => {
      let counts = false
      for (let i = 0; i < width; i++) counts ||= memory[from + i] !== value
      if (counts) memory.copyWithin(to, from, from + lanes)
      else memory.fill(0, to, to + lanes)
      if (mask < 0) return
      const step = (to - frame - layout.offsets[y]) / lanes
      memory[frame + layout.offsets[mask] + step * padded(1)] = Number(counts)
    })
  },
}
