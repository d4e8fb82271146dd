/** Runs layers of one vector in, one vector out over a frame. */

import type { Cursor } from '../engine/engine.ts'
import type { VectorMap } from '../plan/kernels.ts'

/** Calls `each` with the offsets of every x and y in a frame. */
export function overFrame(
  { x, y, lanes, overTime }: VectorMap,
  { frame, layout, rows, steps }: Cursor,
  each: (from: number, to: number) => void,
): void {
  const perRow = overTime ? layout.steps : 1
  const count = overTime ? steps : 1
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < count; t++) {
      const at = (row * perRow + t) * lanes
      each(frame + layout.offsets[x] + at, frame + layout.offsets[y] + at)
    }
  }
}
