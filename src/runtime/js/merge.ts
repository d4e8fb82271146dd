/** Values of one width into one, or side by side, in plain JavaScript. */

import type { MergeNode } from '../../model/types.ts'
import type { LayerRuntime } from '../layers.ts'
import { padded } from '../plan.ts'

export interface MergeKernel {
  readonly kind: 'merge'
  readonly node: string
  readonly mode: MergeNode['mode']
  /** Value indices. */
  readonly inputs: readonly number[]
  readonly y: number
  /** Of each input. */
  readonly widths: readonly number[]
  readonly overTime: boolean
}

export const merge: LayerRuntime<MergeNode, MergeKernel> = {
  causal: () => true,
  sweep: () => 'forward',

  plan(node, builder) {
    const inputs = Object.values(node.inputs).map((value) => builder.value(value))
    const y = builder.value(node.outputs.y)
    return {
      kind: 'merge',
      node: node.name,
      mode: node.mode,
      inputs,
      y,
      widths: inputs.map((value) => builder.width(value)),
      overTime: builder.overTime(y),
    }
  },

  pack: () => {},

  js({ mode, inputs, y, widths, overTime }, ops, { memory, layout, frame, rows, steps }) {
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
          else if (mode === 'multiply') ops.multiply(memory, to, to, from, lanes)
          else ops.add(memory, to, from, lanes)
        }
        if (mode === 'average') ops.divide(memory, to, inputs.length, lanes)
      }
    }
  },
}
