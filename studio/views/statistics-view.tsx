/** The statistics of the gates over the whole sequence: sentences, histograms, all units. */

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { type LayerStatistics, timesteps, titleOf } from '../../src/trace/index.ts'
import { select } from '../actions.ts'
import { call } from '../engine/client.ts'
import type { StatisticsAnswer } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'
import { Scrolls } from './scrolls.tsx'

/** More rows are not read, and would slow the page. */
const MOST_ROWS = 256

export function StatisticsView(): JSX.Element {
  const answer = useSignal<StatisticsAnswer | null>(null)
  const finished = state.done.value >= state.steps.value
  useEffect(() => {
    if (state.traced.value === null) return
    call('statistics', {}).then(
      (found) => {
        answer.value = found
      },
      () => {},
    )
  }, [state.traced.value, finished])
  const { value } = answer
  if (value === null) return <p>Nothing is traced yet.</p>
  const { numbers, words } = value
  const names = Object.keys(numbers.gates)
  return (
    <>
      <section aria-labelledby="says-title">
        <h2 id="says-title">
          What <code>{numbers.layer}</code> does in {show.count(numbers.steps)} steps
        </h2>
        {!finished && <p class="quiet">Still computing: these are the steps so far.</p>}
        <ul>
          {words.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        <div class="matrices">
          {names.map((name) => (
            <Histogram key={name} name={name} {...numbers.gates[name]} />
          ))}
          {numbers.candidate !== null && (
            <Histogram {...numbers.candidate} name={numbers.candidate.name} />
          )}
          <Histogram name="h" {...numbers.state} />
        </div>
      </section>
      <Units numbers={numbers} />
    </>
  )
}

interface HistogramProps {
  readonly name: string
  readonly histogram: readonly number[]
  readonly range: readonly [number, number]
}

function Histogram({ name, histogram, range }: HistogramProps): JSX.Element {
  const most = Math.max(...histogram, 1e-12)
  const width = 300 / histogram.length
  return (
    <figure class="histogram">
      <figcaption>
        <strong>{titleOf(name)}</strong>{' '}
        <span class="quiet">tallest bar {Math.round(100 * most)} %</span>
      </figcaption>
      <svg
        viewBox="0 0 300 92"
        role="img"
        aria-label={`How often ${titleOf(name)} has which value, from ${range[0]} to ${range[1]}`}
      >
        {histogram.map((share, i) => (
          <rect
            key={i}
            x={i * width + 0.5}
            y={72 - (70 * share) / most}
            width={width - 1}
            height={(70 * share) / most}
          />
        ))}
        <path d="M0 72.5H300" />
        <text x="1" y="88">
          {`${range[0]}`.replace('-', '−')}
        </text>
        <text x="299" y="88" text-anchor="end">
          {range[1]}
        </text>
      </svg>
    </figure>
  )
}

function Units({ numbers }: { readonly numbers: LayerStatistics }): JSX.Element {
  const { gates, memory, dead, duplicates, units, state: h } = numbers
  const names = Object.keys(gates)
  const notes = (unit: number): string =>
    [
      dead.includes(unit) ? 'never moves' : '',
      ...duplicates
        .filter((pair) => pair.unit === unit)
        .map((pair) => `${pair.correlation < 0 ? 'mirrors' : 'repeats'} ${pair.of}`),
    ]
      .filter((note) => note !== '')
      .join(', ')
  return (
    <section aria-labelledby="units-title">
      <h2 id="units-title">Unit by unit</h2>
      <p class="quiet">
        Memory: how many steps a value takes to fade to a third (1/e), by how much of the old state
        is kept. Saturated: the share of steps in which a gate is below 0.1 or above 0.9.
      </p>
      <Scrolls label="Statistics of every unit">
        <table class="units">
          <thead>
            <tr>
              <th scope="col">Unit</th>
              {memory !== null && <th scope="col">Memory</th>}
              {names.map((name) => (
                <th scope="col" key={name}>
                  {name} mean, saturated
                </th>
              ))}
              <th scope="col">state from … to</th>
              <th scope="col">Note</th>
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: Math.min(units, MOST_ROWS) }, (_, unit) => (
              <tr key={unit} class={unit === state.unit.value ? 'chosen' : ''}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-label={`Choose unit ${unit}`}
                    onClick={() => select(unit, state.t.value)}
                  >
                    {unit}
                  </button>
                </th>
                {memory !== null && <td class="number">{timesteps(memory[unit])}</td>}
                {names.map((name) => (
                  <td key={name} class="number">
                    {gates[name].mean[unit].toFixed(2)},{' '}
                    {Math.round(100 * (gates[name].left[unit] + gates[name].right[unit]))} %
                  </td>
                ))}
                <td class="number">
                  {show.number(h.min[unit])} … {show.number(h.max[unit])}
                </td>
                <td>{notes(unit)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolls>
      {units > MOST_ROWS && (
        <p class="quiet">
          The first {MOST_ROWS} of {units} units.
        </p>
      )}
    </section>
  )
}
