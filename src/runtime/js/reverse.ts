/** A sequence from its last step to its first. It cannot run in chunks: the first output is the last input. */

import type { ReverseNode } from '../../model/types.ts'
import type { LayerRuntime } from '../layers.ts'

export interface ReverseKernel {
  readonly kind: 'reverse'
  readonly node: string
  /** Value indices. */
  readonly x: number
  readonly y: number
}

export const reverse: LayerRuntime<ReverseNode, ReverseKernel> = {
  causal: () => 'its first output is the last step of its input',
  sweep: () => 'whole',

  plan: (node, builder) => ({
    kind: 'reverse',
    node: node.name,
    x: builder.value(node.inputs.x),
    y: builder.value(node.outputs.y),
  }),

  pack: () => {},
  js: () => {},

  whole({ x, y }, values, firstRow, rows) {
    const from = values.get(x)!
    const to = values.get(y)!
    const [, steps, width] = from.shape
    for (let row = firstRow; row < firstRow + rows; row++) {
      for (let t = 0; t < steps; t++) {
        const at = (row * steps + t) * width
        to.data.set(from.data.subarray(at, at + width), (row * steps + steps - 1 - t) * width)
      }
    }
  },
}
