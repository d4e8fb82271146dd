/** Marks the chosen unit and timestep on a plot. */

import type { JSX } from 'preact'
import * as state from '../state.ts'

/** Lies over the canvas, so that it moves without redrawing. */
export function Cursor({ units }: { readonly units: number | null }): JSX.Element | null {
  const { t, unit, from, to } = state
  const span = to.value - from.value
  const inside = t.value >= from.value && t.value < to.value
  const left = (100 * (t.value - from.value)) / span
  const width = 100 / span
  return (
    <>
      {inside && (
        <div class="cursor time" style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
      )}
      {units !== null && (
        <div
          class="cursor unit"
          style={{ top: `${(100 * unit.value) / units}%`, height: `${100 / units}%` }}
        />
      )}
    </>
  )
}
