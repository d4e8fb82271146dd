/** Finds the convolutions that see nothing but the present and the past, one step for one step. */

import type { Conv1dNode } from '../nodes/vector.ts'

export function isCausal({ size, stride, dilation, groups, padding }: Conv1dNode): boolean {
  return (
    stride === 1 &&
    groups === 1 &&
    padding !== 'same' &&
    padding.before === (size - 1) * dilation &&
    padding.after === 0
  )
}
