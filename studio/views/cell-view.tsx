/** The view of a cell: its numbers at a step, its equations, and all units over time. */

import type { JSX } from 'preact'
import * as state from '../state.ts'
import { EquationList } from './equation-list.tsx'
import { GruDrawing } from './gru-drawing.tsx'
import { inWords } from './in-words.ts'
import { OverTime } from './over-time.tsx'
import { ValueTable } from './value-table.tsx'

export function CellView(): JSX.Element {
  const cell = state.cell.value
  if (cell === null) {
    return <p>This model has no recurrent layer to look into. The other views still work.</p>
  }
  const values = state.step.value
  return (
    <>
      <section class="cell" aria-labelledby="cell-title">
        {/* While the engine is busy, the drawing may show another step. */}
        <div class={values?.t === state.t.value ? '' : 'late'}>
          <h2 id="cell-title">
            Unit {state.unit.value} of <code>{cell.name}</code> at timestep {state.t.value}
          </h2>
          <p class="words">
            {values?.known === false ? 'Not computed yet.' : inWords(cell)}
            {state.input.value?.madeUp && (
              <span class="quiet"> The input is made up: drop yours on the page.</span>
            )}
          </p>
          {cell.kind === 'gru' ? <GruDrawing cell={cell} /> : <ValueTable kind={cell.kind} />}
        </div>
        <EquationList cell={cell} />
      </section>
      <OverTime />
    </>
  )
}
