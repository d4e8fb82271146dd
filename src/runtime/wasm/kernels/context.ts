/** Declares what a kernel is written in: the module's plan and configuration, and its functions. Addresses are in bytes. */

import type { Plan } from '../../plan/types.ts'
import type { Func } from '../assembler/module.ts'
import type { CodegenConfig, Emitter, Pointer } from './emitter.ts'

/** A function of addresses and counts, which all are i32. */
export type Routine = Func<readonly 'i32'[]>

/**
 * What is called of a kernel from outside:
 *
 * - `step` (frame, state): one step of one row, in the frame of a stream.
 * - `block` (frame, state, rows, steps, whether the sequence begins): a tile of rows, a chunk of steps.
 * - `cell` (x, h, out, scratch, state row): of recurrent layers, one step of one row anywhere.
 */
export type Entry = 'step' | 'block' | 'cell'

export type KernelWriter<K> = (context: CodegenContext, kernel: K, entry: Entry) => Routine

export interface CodegenContext {
  readonly plan: Plan
  readonly config: CodegenConfig
  /**
   * Writes a function.
   * @param params how many it has, if not as many as `write` names behind `k`: a parameter with a
   *   default, or a rest of them, is not counted.
   */
  func(name: string, write: (k: Emitter, ...params: Pointer[]) => void, params?: number): Routine
}
