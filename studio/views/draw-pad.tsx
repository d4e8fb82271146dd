/** A strip to draw on: the height of the pointer is the value, time runs by itself. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'

/** At the top; the bottom is minus that. */
const REACH = 3

interface DrawPadProps {
  readonly onValue: (value: number) => void
  /** When the pointer comes down. */
  readonly onStart: () => void
}

export function DrawPad({ onValue, onStart }: DrawPadProps): JSX.Element {
  const height = useSignal(0.5)
  const drawing = useSignal(false)
  const draw = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const share = Math.max(0, Math.min(1, (event.clientY - box.top) / box.height))
    height.value = share
    onValue(Math.round(100 * REACH * (1 - 2 * share)) / 100)
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
    >
      <span class="axis top">{REACH}</span>
      <span class="axis bottom">−{REACH}</span>
      <span class="level" style={{ top: `${100 * height.value}%` }} />
      <span class="hint">hold and move up and down</span>
    </div>
  )
}
