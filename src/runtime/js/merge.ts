/** Merges values of one width into one, or sets values side by side, in plain JavaScript. */

import type { MergeNode } from '../../model/types.ts'
import type { MergeKernel } from '../plan/kernels.ts'
import type { Memory } from '../plan/types.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import type { Ops } from './ops.ts'

export const merge: JsLayer<MergeKernel> = (
  { mode, inputs, y, widths, overTime },
  ops,
  { memory, layout, frame, rows, steps },
) => {
  const total = mode === 'concatenate' ? widths.reduce((sum, width) => sum + width, 0) : widths[0]
  const lanes = padded(total)
  const perRow = overTime ? layout.steps : 1
  const count = overTime ? steps : 1
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < count; t++) {
      let to = frame + layout.offsets[y] + (row * perRow + t) * lanes
      for (let i = 0; i < inputs.length; i++) {
        const from = frame + layout.offsets[inputs[i]] + (row * perRow + t) * padded(widths[i])
        if (mode === 'concatenate') {
          memory.copyWithin(to, from, from + widths[i])
          to += widths[i]
        } else if (i === 0) memory.copyWithin(to, from, from + lanes)
        else combine(mode, ops, memory, to, from, lanes)
      }
      if (mode === 'average') ops.divide(memory, to, inputs.length, lanes)
    }
  }
}

/** Larger and smaller as IEEE 754 has them since 2019: NaN goes before any number. */
const pairs = {
  subtract: (a: number, b: number) => a - b,
  divide: (a: number, b: number) => a / b,
  maximum: Math.max,
  minimum: Math.min,
} as const

/** to = to ∘ from */
function combine(
  mode: Exclude<MergeNode['mode'], 'concatenate'>,
  ops: Ops,
  memory: Memory,
  to: number,
  from: number,
  count: number,
): void {
  if (mode === 'multiply') ops.multiply(memory, to, to, from, count)
  else if (mode === 'add' || mode === 'average') ops.add(memory, to, from, count)
  else {
    const pair = pairs[mode]
    // Stored, the result is rounded once, in float32 as in float64.
    for (let i = 0; i < count; i++) memory[to + i] = pair(memory[to + i], memory[from + i])
  }
}
