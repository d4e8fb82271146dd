/** The timeline, which is always visible: step, play and scrub; choose layer, sequence and unit. */

import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { chooseLayer, chooseRow, select } from '../actions.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'

const PLAY_EVERY_MS = 250

export function Timeline(): JSX.Element {
  const { traced, t, unit, row, layer, model, input, done } = state
  const steps = traced.value?.steps ?? 1
  const last = steps - 1
  const go = (to: number): void => select(unit.value, to)
  usePlaying(last)
  const cells = model.value?.cells ?? []
  const rows = input.value?.rows ?? 1
  const waiting = done.value < steps
  return (
    <section class="timeline" aria-label="Time">
      <div class="buttons">
        <button type="button" aria-label="First step" title="First step" onClick={() => go(0)}>
          |◀
        </button>
        <button
          type="button"
          aria-label="One step back"
          title="One step back"
          onClick={() => go(t.value - 1)}
        >
          ◀
        </button>
        <button
          type="button"
          class="primary play"
          aria-label={state.playing.value ? 'Pause' : 'Play'}
          onClick={() => {
            if (!state.playing.value && t.value >= last) go(0)
            state.playing.value = !state.playing.value
          }}
        >
          {state.playing.value ? '❚❚' : '▶ Play'}
        </button>
        <button
          type="button"
          aria-label="One step on"
          title="One step on"
          onClick={() => go(t.value + 1)}
        >
          ▶
        </button>
      </div>
      <label class="scrub">
        <span>
          Timestep <output>{show.count(t.value)}</output>
          <span class="quiet"> of 0 … {show.count(last)}</span>
        </span>
        <input
          type="range"
          min={0}
          max={last}
          value={t.value}
          aria-label="Timestep"
          onInput={({ currentTarget }) => go(Number(currentTarget.value))}
        />
        {waiting && (
          <progress value={done.value} max={steps} aria-label="Steps computed">
            {show.count(done.value)}
          </progress>
        )}
      </label>
      <div class="choices">
        {cells.length > 1 && (
          <label>
            Layer
            <select
              value={layer.value ?? ''}
              onChange={({ currentTarget }) => chooseLayer(currentTarget.value)}
            >
              {cells.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        {rows > 1 && (
          <Count label="Sequence" value={row.value} most={rows - 1} onValue={chooseRow} />
        )}
        <Count
          label="Unit"
          value={unit.value}
          most={(traced.value?.units ?? 1) - 1}
          onValue={(value) => select(value, t.value)}
        />
      </div>
    </section>
  )
}

interface CountProps {
  readonly label: string
  readonly value: number
  readonly most: number
  readonly onValue: (value: number) => unknown
}

function Count({ label, value, most, onValue }: CountProps): JSX.Element {
  return (
    <label>
      {label}
      <input
        type="number"
        min={0}
        max={most}
        value={value}
        onInput={({ currentTarget }) => {
          const next = currentTarget.valueAsNumber
          if (Number.isInteger(next) && next >= 0 && next <= most) onValue(next)
        }}
      />
    </label>
  )
}

function usePlaying(last: number): void {
  const playing = state.playing.value
  useEffect(() => {
    if (!playing) return
    const timer = setInterval(() => {
      const next = state.t.value + 1
      if (next > last) state.playing.value = false
      else select(state.unit.value, next)
    }, PLAY_EVERY_MS)
    return () => clearInterval(timer)
  }, [playing, last])
}
