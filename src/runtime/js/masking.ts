/** Marks the steps in which every feature is one value, in plain JavaScript. */

import type { MaskingKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import { overFrame } from './vectors.ts'

export const masking: JsLayer<MaskingKernel> = (kernel, _, cursor) => {
  const { memory, frame, layout } = cursor
  const { width, lanes, value, mask, y } = kernel
  overFrame(kernel, cursor, (from, to) => {
    let counts = false
    for (let i = 0; i < width; i++) counts ||= memory[from + i] !== value
    if (counts) memory.copyWithin(to, from, from + lanes)
    else memory.fill(0, to, to + lanes)
    if (mask < 0) return
    const step = (to - frame - layout.offsets[y]) / lanes
    memory[frame + layout.offsets[mask] + step * padded(1)] = Number(counts)
  })
}
