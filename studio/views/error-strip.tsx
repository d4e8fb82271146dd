/** Plots the error against the expected outputs at each step. */

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { COLUMNS, select } from '../actions.ts'
import { prepare } from '../draw/canvas.ts'
import { pointerIn } from '../draw/pointer.ts'
import type { VerifyResult } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Cursor } from './cursor.tsx'
import { useDark } from './media.ts'

type OutputErrors = VerifyResult['outputs'][string]

/** The power of ten at the lower edge: smaller errors do not matter. */
const FLOOR = -17

export function ErrorStrip(): JSX.Element | null {
  const outputs = Object.entries(state.verdict.value?.outputs ?? {})
  const found = outputs.find(([, { overTime }]) => overTime.length === state.input.value?.steps)
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useDark()
  const { from, to } = state
  const [name, output] = found ?? ['', null]
  const top = output === null ? 0 : topOf(output)
  useEffect(() => {
    const prepared = canvas.current && prepare(canvas.current)
    if (!prepared || output === null) return
    const { context, width, height } = prepared
    const y = (value: number): number => {
      const share = (Math.max(FLOOR, Math.min(top, Math.log10(value))) - FLOOR) / (top - FLOOR)
      return height - share * (height - 4)
    }
    const span = to.value - from.value
    const columns = Math.min(COLUMNS, span)
    for (let c = 0; c < columns; c++) {
      const first = from.value + Math.floor((c * span) / columns)
      const end = Math.max(first + 1, from.value + Math.floor(((c + 1) * span) / columns))
      let largest = 0
      for (let t = first; t < end; t++) largest = Math.max(largest, output.overTime[t])
      const wrong = largest > output.tolerance.largest
      context.fillStyle = wrong ? (dark ? '#ff9b7a' : '#b3320a') : dark ? '#7db8ff' : '#3f78b5'
      if (largest > 0)
        context.fillRect((c * width) / columns, y(largest), width / columns, height - y(largest))
    }
    context.strokeStyle = dark ? '#ffffff' : '#111111'
    context.setLineDash([6, 4])
    context.beginPath()
    context.moveTo(0, y(output.tolerance.largest))
    context.lineTo(width, y(output.tolerance.largest))
    context.stroke()
  }, [output, from.value, to.value, dark])
  if (output === null) return null
  return (
    <figure class="errors">
      <figcaption>
        <strong>Error against the expected {name}</strong>
        <span>
          each step’s largest, by powers of ten; over all {show.small(output.maxAbsolute)}. Dashed:
          the tolerance {show.small(output.tolerance.largest)}
        </span>
        {output.first !== null && output.first.at.timestep !== undefined && (
          <button
            type="button"
            onClick={() => select(output.first!.at.unit, output.first!.at.timestep!)}
          >
            First wrong step: {output.first.at.timestep}
          </button>
        )}
      </figcaption>
      <div class="plot">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Largest error of each timestep on a logarithmic scale; the largest is ${show.small(output.maxAbsolute)}`}
          onClick={(event) => {
            const { across } = pointerIn(event)
            select(state.unit.value, from.value + Math.floor(across * (to.value - from.value)))
          }}
        />
        <span class="axis top">1e{`${top}`.replace('-', '−')}</span>
        <span class="axis bottom">1e−17</span>
        <Cursor units={null} />
      </div>
    </figure>
  )
}

/** The power of ten at the upper edge. */
function topOf({ maxAbsolute, tolerance }: OutputErrors): number {
  const sizes = [maxAbsolute, tolerance.largest].filter(Number.isFinite)
  return Math.max(FLOOR + 1, ...sizes.map(decade))
}

function decade(value: number): number {
  return value === 0 ? 0 : Math.ceil(Math.log10(value))
}
