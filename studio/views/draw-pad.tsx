/**
 * A strip to draw an input on: the height of the pointer is the value, time runs by itself, and the
 * drawing moves to the left.
 */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { drawLines } from '../draw/canvas.ts'
import { lineColours } from '../draw/palette.ts'
import { pointerIn } from '../draw/pointer.ts'
import * as show from '../show.ts'
import { useDark } from './media.ts'

interface DrawPadProps {
  /** The value at the top; the bottom is minus that. */
  readonly reach: number
  /** Oldest first; the last one is being drawn. */
  readonly values: readonly number[]
  /** The number of values that fit. */
  readonly columns: number
  readonly onValue: (value: number) => void
  /** Called when the pointer goes down. */
  readonly onStart: () => void
}

export function DrawPad({ reach, values, columns, onValue, onStart }: DrawPadProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const drawing = useSignal(false)
  const dark = useDark()
  useEffect(() => {
    if (canvas.current === null) return
    const at = (column: number): number => values[column - (columns - values.length)] ?? Number.NaN
    const colours = lineColours(dark)
    const line = { colour: colours.lines[0], dash: [], width: 2.5, mean: at, min: at, max: at }
    const grid = { colour: colours.grid, at: [0] }
    drawLines(canvas.current, columns, [-reach, reach], [line], grid)
  }, [values, reach, dark])
  const draw = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const share = Math.max(0, Math.min(1, pointerIn(event).down))
    onValue(Math.round(100 * reach * (1 - 2 * share)) / 100)
  }
  return (
    <div
      class="pad"
      aria-hidden="true"
      onPointerDown={(event) => {
        drawing.value = true
        event.currentTarget.setPointerCapture(event.pointerId)
        onStart()
        draw(event)
      }}
      onPointerMove={(event) => {
        if (drawing.value) draw(event)
      }}
      onPointerUp={() => {
        drawing.value = false
      }}
      onPointerCancel={() => {
        drawing.value = false
      }}
    >
      <canvas ref={canvas} />
      <span class="axis top">{show.small(reach)}</span>
      <span class="axis bottom">{show.small(-reach)}</span>
      <span class="hint">hold and move up and down</span>
    </div>
  )
}
