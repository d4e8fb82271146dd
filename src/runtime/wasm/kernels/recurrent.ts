/** Recurrent layers over rows and steps, cell by cell, in WebAssembly. */

import type { RecurrentKernel } from '../../layer.ts'
import { type Plan, padded } from '../../plan.ts'
import { copyNumbers, type Lanes, type Pointer } from './lanes.ts'
import { type Layer, scratchAt, stateAt, valueAt, type Write } from './over-frame.ts'

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

/** Where the vectors of a cell stand among those of its layer. */
const [X, OUT] = [0, 1]
export const [H, OWN] = [2, 3]

/** A layer whose only port is `x`, from the first step to the last. */
export function recurrentLayer(plan: Plan, kernel: RecurrentKernel, cell: Cell): Layer {
  const copy = copying(kernel)
  const ends = [kernel.last, kernel.finalState].filter((value) => value >= 0)
  return {
    kind: kernel.kind,
    vectors: [
      valueAt(plan, kernel.x),
      valueAt(plan, kernel.sequence),
      stateAt(plan, kernel.state),
      scratchAt(plan, cell.scratch),
      ...ends.map((value) => valueAt(plan, value)),
    ],
    parts: cell.parts.map((part, i) => (k, at) => {
      part(k, { x: at[X], h: at[H], out: at[OUT], own: at[OWN] })
      if (i === cell.parts.length - 1) copy(H, OUT)(k, at)
    }),
    // Every step counts here, so the last output is the state.
    leave: ends.map((_, i) => copy(OWN + 1 + i, H)),
  }
}

/** Copies of a number for each unit, between vectors of the layer. */
export function copying({
  units,
}: {
  readonly units: number
}): (to: number, from: number) => Write {
  return (to, from) => (k, at) => copyNumbers(k, at[to], at[from], padded(units))
}
