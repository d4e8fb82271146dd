/** The numbers and words that the wide and the narrow drawing of a GRU share. */

import type { CellInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'
import * as state from '../state.ts'

/** The numbers on a cell's wires, including those that only the drawing shows. */
export interface GruWires {
  readonly v: Readonly<Record<string, number>>
  /** Whether z is the share of the old state that is kept. */
  readonly keeps: boolean
  readonly after: boolean
  /** The factors of the old state and the candidate, and their names. */
  readonly old: number
  readonly fresh: number
  readonly oldName: string
  readonly freshName: string
  /** The recurrent term of the candidate. */
  readonly recurrent: number
}

/** The numbers of the input where it is an input of the model, else its source. */
export function aboutInput(cell: CellInfo, most = 6): string {
  const x = state.step.value?.x ?? null
  if (x === null) return `x: ${cell.features} numbers from ${cut(cell.reads)}`
  const shown = Array.from(x.subarray(0, most), show.number).join('  ')
  return x.length > most ? `x: ${shown}  … (${x.length})` : `x: ${shown}`
}

/** The end of a long name is more specific than its beginning. */
function cut(name: string): string {
  return name.length > 26 ? `…${name.slice(-25)}` : name
}
