/** What of a plan WebAssembly does not cover. */

import { asksWhichStepsCount, inFrame, type Kernel } from '../layer.ts'
import type { Stage } from '../stages.ts'
import type { Writing } from './writing.ts'

/** Why a kernel has no WebAssembly version; null if it has one. */
export function obstacle(kernel: Kernel, { writers }: Writing): string | null {
  if (!inFrame(kernel)) return 'it works on whole tensors'
  const writer = writers[kernel.kind]
  return typeof writer === 'string' ? writer : null
}

/** Whether a step of the stage is one call. */
export function isWhole({ kernels }: Stage, writing: Writing): boolean {
  return kernels.every(
    (kernel) => obstacle(kernel, writing) === null && !asksWhichStepsCount(kernel),
  )
}
