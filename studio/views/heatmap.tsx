/** One value of every unit over time, on a canvas; a click selects unit and timestep. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { select } from '../actions.ts'
import { drawMatrix } from '../draw/canvas.ts'
import { css, gatePalette, type Palette, signPalette } from '../draw/palette.ts'
import type { View } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { useDark } from './media.ts'
import { gates } from './over-time.tsx'

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

  // Until the first view comes, the trace knows the units: the plot has its height at once, nothing
  // below it moves when the picture arrives, and a click before that counts.
  const traced = state.traced.value
  const units = view?.units ?? traced?.units ?? 1
  const height = Math.max(MIN_HEIGHT, Math.min(MAX_HEIGHT, units * 8))
  const place = (event: MouseEvent): { u: number; t: number; column: number } | null => {
    if (traced === null || canvas.current === null) return null
    const box = canvas.current.getBoundingClientRect()
    const across = (event.clientX - box.left) / box.width
    const u = Math.floor(((event.clientY - box.top) / box.height) * units)
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
            const at = place(event)
            if (at !== null) select(at.u, at.t)
          }}
          onMouseMove={(event) => {
            const at = place(event)
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

/** Where unit and timestep are: moved without drawing anything anew. */
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
