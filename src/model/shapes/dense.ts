/** The shapes of a Dense layer. */

import type { LayerNode } from '../types.ts'
import { type LayerShapes, misfit, type Shape } from './shape.ts'

export const denseShapes: LayerShapes<'dense'> = {
  dense: {
    inputs: { x: 'required' },
    outputs: (node, { x }) => ({ y: [...lastIs(node, x, node.features), node.units] }),
  },
}

/** The axes before the last one. */
export function lastIs(node: LayerNode, x: Shape, features: number): Shape {
  if (x.at(-1) !== features) throw misfit(node, 'x', x, `[..., ${features}]`)
  return x.slice(0, -1)
}
