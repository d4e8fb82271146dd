/** Plots over time: heatmaps of all units, the chosen unit as lines, the error of the outputs. */

import type { JSX } from 'preact'
import { zoom } from '../actions.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { ErrorStrip } from './error-strip.tsx'
import { Heatmap } from './heatmap.tsx'
import { Trajectories } from './trajectories.tsx'

const titles: Readonly<Record<string, string>> = {
  z: 'update gate z',
  r: 'reset gate r',
  n: 'candidate n',
  h: 'state h',
  i: 'input gate i',
  f: 'forget gate f',
  g: 'candidate g',
  o: 'output gate o',
  c: 'cell c',
}

export function OverTime(): JSX.Element {
  const names = state.traced.value?.values.filter((name) => name in titles) ?? []
  const info = state.traced.value
  return (
    <section class="over-time" aria-labelledby="over-time-title">
      <div class="row">
        <h2 id="over-time-title">All units over time</h2>
        <Zoom />
      </div>
      <p class="quiet">
        One row for each unit, one column for each timestep. Click anywhere to look into that unit
        at that step.
        {info !== null && info.steps < info.allSteps && (
          <strong>
            {' '}
            Memory holds the first {show.count(info.steps)} of {show.count(info.allSteps)} steps.
          </strong>
        )}
      </p>
      <div class="heatmaps">
        {names.map((name) => (
          <Heatmap key={name} name={name} title={titles[name]} />
        ))}
      </div>
      <Trajectories names={names} titles={titles} />
      <ErrorStrip />
    </section>
  )
}

function Zoom(): JSX.Element {
  const { from, to, t, steps } = state
  const span = to.value - from.value
  const around = (width: number): void => {
    const left = Math.round(Math.max(0, Math.min(t.value - width / 2, steps.value - width)))
    zoom(left, left + width)
  }
  return (
    <div class="buttons">
      <span class="quiet">
        steps {show.count(from.value)} … {show.count(Math.max(0, to.value - 1))}
      </span>
      <button
        type="button"
        disabled={span <= 8}
        onClick={() => around(Math.max(8, Math.round(span / 4)))}
      >
        Zoom in
      </button>
      <button
        type="button"
        disabled={span >= steps.value}
        onClick={() => around(Math.min(steps.value, span * 4))}
      >
        Zoom out
      </button>
      <button type="button" disabled={span >= steps.value} onClick={() => zoom(0, steps.value)}>
        Whole
      </button>
    </div>
  )
}
