/** Marks the steps in which every feature is one value, in plain JavaScript. */

import type { JsLayer } from '../layer.ts'
import type { MaskingKernel } from '../layers/masking.ts'
import { padded } from '../plan.ts'
import { overFrame } from './vectors.ts'

export const masking: JsLayer<MaskingKernel> = (kernel, _, place) => {
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
}
