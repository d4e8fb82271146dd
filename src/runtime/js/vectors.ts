/** How layers of one vector in, one vector out run over a frame. */

import type { Place } from '../layer.ts'
import type { VectorMap } from '../layers/vectors.ts'

/** Calls `each` with the places of every x and y in a frame. */
export function overFrame(
  { x, y, lanes, overTime }: VectorMap,
  { frame, layout, rows, steps }: Place,
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
