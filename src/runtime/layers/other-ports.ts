/** Ports of recurrent layers that most leave open, and what comes with them. */

import type { RecurrentNode } from '../../model/types.ts'
import type { FrameKernel, LayerPlan } from '../layer.ts'

export interface OtherPorts {
  /** Value indices; absent where the port is open. */
  readonly initialState?: number
  readonly initialCell?: number
  readonly lengths?: number
  readonly finalCell?: number
  /** Its value index, and the offset in the state row of whether a step has counted. */
  readonly mask?: { readonly value: number; readonly seen: number }
}

/** The layer, wherever its ports lead. */
export function withOtherPorts<N extends RecurrentNode, K extends FrameKernel>(
  layer: LayerPlan<N, K>,
): LayerPlan<N, K> {
  return {
    ...layer,
    plan(node, placement, builder) {
      const kernel = layer.plan(node, placement, builder)
      const ports: Record<Exclude<keyof OtherPorts, 'mask'>, number> = {
        initialState: builder.input('initialState', 'row'),
        initialCell: builder.input('initialCell', 'row'),
        lengths: builder.input('lengths', 'row'),
        finalCell: builder.output('cell', 'row'),
      }
      const mask = { value: builder.input('mask', 'step'), seen: builder.state('seen') }
      const connected = Object.entries(ports).filter(([, index]) => index >= 0)
      return { ...kernel, ...Object.fromEntries(connected), ...(mask.value >= 0 && { mask }) }
    },
  }
}
