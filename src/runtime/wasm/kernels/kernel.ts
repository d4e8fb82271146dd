/** What a kernel of a plan comes to in a module. Addresses are in bytes. */

import type { Plan } from '../../plan.ts'
import type { Func, ModuleBuilder } from '../assembler.ts'
import type { Style } from './lanes.ts'

/** One step of one row, in the frame of a stream: (frame, state). */
export type StepFunc = Func<readonly ['i32', 'i32'], undefined>

/** A tile of rows, a chunk of steps: (frame, state, rows, steps, whether the sequence begins). */
export type BlockFunc = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32'], undefined>

/** For kernels with a state, one step of one row anywhere: (x, h, out, scratch, state row). */
export type RowFunc = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32'], undefined>

/** The entry points of a kernel. Each is written when it is asked for, once. */
export interface KernelFuncs {
  readonly step: () => StepFunc
  readonly block: () => BlockFunc
  readonly cell?: () => RowFunc
}

/** Where a kernel is written, and for what. */
export interface Site {
  readonly module: ModuleBuilder
  readonly plan: Plan
  readonly target: Style
  /** Code that layers of one shape share, by a key of all that it depends on. */
  readonly shared: <T>(key: string, write: () => T) => T
}

/** A function that writes when it is first called, and gives the same ever after. */
export function once<T>(write: () => T): () => T {
  let written: T | undefined
  return () => {
    written ??= write()
    return written
  }
}
