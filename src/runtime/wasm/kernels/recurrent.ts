/** Recurrent layers over rows and steps, cell by cell, in WebAssembly. */

import type { RecurrentKernel } from '../../layer.ts'
import { padded } from '../../plan.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { copyNumbers, type Lanes, type Pointer } from './lanes.ts'
import { scratchAt, stateAt, valueAt, type Write, writeOverFrame } from './over-frame.ts'

/**
 * Where one step of one row is computed: from x and h, which stay, to `out`, which is neither. `own`
 * is the cell of an LSTM, which changes in place, and in other layers scratch.
 */
export type CellVectors = Readonly<Record<'x' | 'h' | 'out' | 'own', Pointer>>

/** The cell of a layer: one step of one row, in one part or several (`Layer.parts`). */
export interface Cell {
  readonly parts: readonly ((k: Lanes, at: CellVectors) => void)[]
  /** Numbers of scratch that go from part to part. */
  readonly scratch: number
}

export function writeRecurrent(
  site: Site,
  kernel: RecurrentKernel,
  cell: Cell,
  entry: Entry,
): Routine {
  const { plan } = site
  const copy = (k: Lanes, to: Pointer, from: Pointer): void =>
    copyNumbers(k, to, from, padded(kernel.units))
  const vectors = [
    valueAt(plan, kernel.x),
    valueAt(plan, kernel.sequence),
    stateAt(plan, kernel.state),
    kernel.cell < 0 ? scratchAt(plan, cell.scratch) : stateAt(plan, kernel.cell),
  ]
  const [H, OWN] = [2, 3]
  /** Copies between a value, if it is there, and what a row carries. */
  const copies = (
    between: readonly (readonly [value: number, own: number])[],
    arrives: boolean,
  ): Write[] =>
    between.flatMap(([value, own]): Write[] => {
      if (value < 0) return []
      const i = vectors.push(valueAt(plan, value)) - 1
      return [(k, at) => (arrives ? copy(k, at[own], at[i]) : copy(k, at[i], at[own]))]
    })
  return writeOverFrame(
    site,
    {
      kind: kernel.kind,
      vectors,
      backward: kernel.direction === 'backward',
      arrive: copies(
        [
          [kernel.initialState, H],
          [kernel.initialCell, OWN],
        ],
        true,
      ),
      parts: cell.parts.map((part, i) => (k, [x, out, h, own]) => {
        part(k, { x, h, out, own })
        if (i === cell.parts.length - 1) copy(k, h, out)
      }),
      // Every step counts here, so the last output is the state.
      leave: copies(
        [
          [kernel.last, H],
          [kernel.finalState, H],
          [kernel.finalCell, OWN],
        ],
        false,
      ),
    },
    entry,
  )
}
