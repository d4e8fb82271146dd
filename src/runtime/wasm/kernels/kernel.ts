/** What a kernel of a plan comes to in a module. Addresses are in bytes. */

import type { Plan } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import type { Lanes, Pointer, Style } from './lanes.ts'

/** A function of addresses and counts, which all are i32. How many of them, the checked writer knows. */
export type Routine = Func<readonly 'i32'[], undefined>

/**
 * What is called of a kernel from outside:
 *
 * - `step` (frame, state): one step of one row, in the frame of a stream.
 * - `block` (frame, state, rows, steps, whether the sequence begins): a tile of rows, a chunk of steps.
 * - `cell` (x, h, out, scratch, state row): of recurrent layers, one step of one row anywhere.
 */
export type Entry = 'step' | 'block' | 'cell'

export type KernelWriter<K> = (site: Site, kernel: K, entry: Entry) => Routine

/** Where a kernel is written, and for what. */
export interface Site {
  readonly plan: Plan
  readonly target: Style
  /**
   * Writes a function.
   * @param params how many it has, if not as many as `write` names behind `k`: a parameter with a
   *   default, or a rest of them, is not counted.
   */
  func(name: string, write: (k: Lanes, ...params: Pointer[]) => void, params?: number): Routine
}
