/** The cell with its live numbers, the equations beside it, and everything over time below. */

import type { JSX } from 'preact'
import type { CellInfo } from '../engine/protocol.ts'
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
        <div class="drawing">
          <h2 id="cell-title">
            Unit {state.unit.value} of <code>{cell.name}</code> at timestep {state.t.value}
          </h2>
          <p class="words">{values?.known === false ? 'Not computed yet.' : inWords(cell)}</p>
          {cell.kind === 'gru' ? <Drawing cell={cell} /> : <ValueTable cell={cell} />}
        </div>
        <EquationList cell={cell} />
      </section>
      <OverTime />
    </>
  )
}

/** On a phone it is wider than the page: smaller, its numbers could not be read. */
function Drawing({ cell }: { readonly cell: CellInfo }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scrolls" aria-label="Drawing of the cell" tabIndex={0}>
      <GruDrawing cell={cell} />
    </section>
  )
}
