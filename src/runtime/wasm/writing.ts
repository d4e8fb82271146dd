/** What a module is written with: kernels, activations and arithmetics, those that a plan needs. */

import type { ElementwiseKind } from '../../model/activations.ts'
import type { FrameKernel, FrameKind } from '../layer.ts'
import type { FunctionWriter } from './assembler.ts'
import type { ActivationWriter } from './kernels/activations.ts'
import type { KernelWriter } from './kernels/kernel.ts'
import type { Arithmetic, Lanes, Pointer } from './kernels/lanes.ts'

/** By kind of kernel: the writer, or why there is none. */
export type Writers = {
  readonly [K in FrameKind]: string | KernelWriter<Extract<FrameKernel, { kind: K }>>
}

export interface Writing {
  readonly writer: FunctionWriter
  readonly writers: Partial<Writers>
  readonly activations: Partial<Readonly<Record<ElementwiseKind, ActivationWriter>>>
  /** Of the numbers at a place; null where no model has it. */
  readonly softmax: ((k: Lanes, at: Pointer, width: number) => void) | null
  readonly arithmetics: { readonly f32: Arithmetic; readonly f64?: Arithmetic }
}
