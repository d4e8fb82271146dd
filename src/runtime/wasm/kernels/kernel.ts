/** What a kernel of a plan comes to in a module. Addresses are in bytes. */

import type { Plan } from '../../plan.ts'
import type { Func, ModuleBuilder } from '../assembler.ts'
import type { Style } from './lanes.ts'

export interface KernelFuncs {
  /** One step of one row, in the frame of a stream: (frame, state). */
  readonly step: Func<readonly ['i32', 'i32'], undefined>
  /** A tile of rows, a chunk of steps: (frame, state, rows, steps, whether the sequence begins). */
  readonly block: Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32'], undefined>
  /** For kernels with a state, one step of one row anywhere: (x, h, out, scratch, state row). */
  readonly cell?: Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32'], undefined>
}

/** Where a kernel is written, and for what. */
export interface Site {
  readonly module: ModuleBuilder
  readonly plan: Plan
  readonly target: Style
  /** Code that layers of one shape share, by a key of all that it depends on. */
  readonly shared: <T>(key: string, write: () => T) => T
}
