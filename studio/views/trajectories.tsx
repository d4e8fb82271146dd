/** Plots the gates and the state of the chosen unit as lines over time. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { select } from '../actions.ts'
import { drawLines, type Line } from '../draw/canvas.ts'
import { lineColours } from '../draw/palette.ts'
import { pointerIn } from '../draw/pointer.ts'
import type { View } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Cursor } from './cursor.tsx'
import { useDark } from './media.ts'

/** Lines differ by dashes as well as by colour. */
const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 4]]

interface TrajectoriesProps {
  readonly names: readonly string[]
  readonly titles: Readonly<Record<string, string>>
}

/** The largest magnitude of a unit's values, at least 1. */
function reachOf(view: View | null, names: readonly string[], unit: number): number {
  let reach = 1
  for (const name of names) {
    const strip = view?.strips[name]
    if (view === null || strip === undefined || unit >= view.units) continue
    for (let c = 0; c < view.columns; c++) {
      const at = c * view.units + unit
      const far = Math.max(-strip.min[at], strip.max[at])
      if (far > reach) reach = far
    }
  }
  return reach
}

export function Trajectories({ names, titles }: TrajectoriesProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useDark()
  const view = state.view.value
  const unit = state.unit.value
  const colours = lineColours(dark)
  // The state is drawn last, as the strongest line.
  const ordered = names.map((name, i) =>
    name === 'h'
      ? { name, colour: colours.ink, dash: [], width: 2.5 }
      : { name, colour: colours.lines[i % 5], dash: dashes[i % 5], width: 1.5 },
  )
  const reach = reachOf(view, names, unit)
  useEffect(() => {
    const draw = (): void => {
      if (canvas.current === null || view === null) return
      const { units, columns, strips } = view
      if (unit >= units) return
      const lines = ordered.flatMap(({ name, ...style }): readonly Line[] => {
        const strip = strips[name]
        if (strip === undefined) return []
        return [
          {
            ...style,
            mean: (c) => strip.mean[c * units + unit],
            min: (c) => strip.min[c * units + unit],
            max: (c) => strip.max[c * units + unit],
          },
        ]
      })
      const grid = { colour: colours.grid, at: [-1, 0, 1] }
      drawLines(canvas.current, columns, [-reach, reach], lines, grid)
    }
    draw()
    addEventListener('resize', draw)
    return () => removeEventListener('resize', draw)
  }, [view, unit, dark])
  return (
    <figure class="trajectories">
      <figcaption>
        <strong>Unit {unit} over time</strong>
        {ordered.map(({ name, colour, dash, width }) => (
          <span class="key" key={name}>
            <svg width="30" height="8" aria-hidden="true">
              <path
                d="M1 4H29"
                stroke={colour}
                stroke-width={width}
                stroke-dasharray={dash.join(' ')}
              />
            </svg>
            {titles[name]}
          </span>
        ))}
      </figcaption>
      <div class="plot tall">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Gates and state of unit ${unit} as lines over time`}
          onClick={(event) => {
            if (view === null) return
            const { across } = pointerIn(event)
            select(unit, view.from + Math.floor(across * (view.to - view.from)))
          }}
        />
        <span class="axis top">{show.small(reach)}</span>
        <span class="axis bottom">{show.small(-reach)}</span>
        <Cursor units={null} />
      </div>
    </figure>
  )
}
