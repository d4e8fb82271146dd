/** Says which layers of a plan run in JavaScript for want of a WebAssembly kernel, and why. */

import type { Fallback } from '../engine/engine.ts'
import { inFrame } from '../plan/kernels.ts'
import type { Plan } from '../plan/types.ts'
import type { KernelWriters } from './kernels/layers.ts'

export function fallbacksOf({ stages }: Plan, kernels: Partial<KernelWriters>): Fallback[] {
  return stages.flatMap((stage) =>
    stage.kernels.flatMap((kernel): Fallback[] => {
      const why = inFrame(kernel) ? kernels[kernel.kind] : 'it works on whole tensors'
      return typeof why === 'string' ? [{ node: kernel.node, why }] : []
    }),
  )
}
