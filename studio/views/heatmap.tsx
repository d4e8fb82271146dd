/** A heatmap of one value of every unit over time; a click selects unit and timestep. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { select } from '../actions.ts'
import { drawMatrix } from '../draw/canvas.ts'
import { css, gatePalette, type Palette, signPalette } from '../draw/palette.ts'
import { pointerIn } from '../draw/pointer.ts'
import type { View } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Cursor } from './cursor.tsx'
import { useDark } from './media.ts'

/** The values that run from 0 to 1. */
const gates: ReadonlySet<string> = new Set(['z', 'r', 'i', 'f', 'o'])

const MIN_HEIGHT = 72
const MAX_HEIGHT = 200

export function Heatmap({
  name,
  title,
}: {
  readonly name: string
  readonly title: string
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const hover = useSignal('')
  const dark = useDark()
  const view = state.view.value
  const palette = paletteOf(name, view, dark)
  useEffect(() => {
    const strip = view?.strips[name]
    if (canvas.current === null || view === null || strip === undefined) return
    const { units, columns } = view
    drawMatrix(canvas.current, units, columns, (u, c) => strip.mean[c * units + u], palette)
  }, [view, dark])

  // Before the first view arrives, the trace has the number of units. So the plot has its height at
  // once, nothing below it moves later, and it can already be clicked.
  const traced = state.traced.value
  const units = view?.units ?? traced?.units ?? 1
  const height = Math.max(MIN_HEIGHT, Math.min(MAX_HEIGHT, units * 8))
  const cellAt = (
    event: MouseEvent & { currentTarget: HTMLElement },
  ): { u: number; t: number; column: number } | null => {
    if (traced === null) return null
    const { across, down } = pointerIn(event)
    const u = Math.floor(down * units)
    const { from, to, columns } = view ?? { from: state.from.value, to: state.to.value, columns: 1 }
    const t = from + Math.floor(across * (to - from))
    return { u, t, column: Math.min(columns - 1, Math.floor(across * columns)) }
  }
  return (
    <figure class="heatmap">
      <figcaption>
        <strong>{title}</strong>
        <Legend palette={palette} />
        <span class="reading">{hover.value}</span>
      </figcaption>
      <div class="plot" style={{ height: `${height}px` }}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={`${title} of ${units} units over time; choose unit and timestep below with the keyboard`}
          data-heatmap={name}
          onClick={(event) => {
            const at = cellAt(event)
            if (at !== null) select(at.u, at.t)
          }}
          onMouseMove={(event) => {
            const at = cellAt(event)
            const value = at && view?.strips[name]?.mean[at.column * units + at.u]
            hover.value =
              at === null
                ? ''
                : `unit ${at.u}, step ${show.count(at.t)}: ${show.number(value ?? Number.NaN)}`
          }}
          onMouseLeave={() => {
            hover.value = ''
          }}
        />
        <Cursor units={units} />
      </div>
    </figure>
  )
}

function paletteOf(name: string, view: View | null, dark: boolean): Palette {
  if (gates.has(name)) return gatePalette(dark)
  let reach = 0
  for (const value of view?.strips[name]?.mean ?? [])
    if (Math.abs(value) > reach) reach = Math.abs(value)
  return signPalette(dark, reach === 0 ? 1 : reach)
}

function Legend({ palette }: { readonly palette: Palette }): JSX.Element {
  const stops = [0, 51, 102, 153, 204, 255].map((i) => css(palette.colours[i])).join(', ')
  const end = (value: number): string => `${Math.round(value * 100) / 100}`.replace('-', '−')
  return (
    <span class="legend">
      {end(palette.low)}
      <span style={{ background: `linear-gradient(to right, ${stops})` }} />
      {end(palette.high)}
    </span>
  )
}
