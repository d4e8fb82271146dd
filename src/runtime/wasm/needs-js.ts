/** Tells whether JavaScript runs between the WebAssembly kernels of a plan. */

import { hasStepMask, inFrame, type Kernel } from '../plan/kernels.ts'
import type { Plan, Stage } from '../plan/types.ts'
import type { KernelWriters } from './kernels/layers.ts'

/** Whether a layer has a kernel in WebAssembly. */
export function hasKernel(kernel: Kernel, kernels: Partial<KernelWriters>): boolean {
  return inFrame(kernel) && typeof kernels[kernel.kind] === 'function'
}

/** Whether a step of the stage is one call. */
export function isOneCall(stage: Stage, kernels: Partial<KernelWriters>): boolean {
  return stage.kernels.every((each) => hasKernel(each, kernels) && !hasStepMask(each))
}

export function needsJs({ stages }: Plan, kernels: Partial<KernelWriters>): boolean {
  return !stages.every((stage) => isOneCall(stage, kernels))
}
