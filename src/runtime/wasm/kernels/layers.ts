/** Lists the kernels that most models need, by kind of layer. */

import type { FrameKind, KernelOf } from '../../plan/kernels.ts'
import type { KernelWriter } from './context.ts'
import { writeDense } from './dense.ts'
import { writeGru } from './gru.ts'

/** By kind: the writer, or why there is none. */
export type KernelWriters<K extends FrameKind = FrameKind> = {
  readonly [P in K]: KernelWriter<KernelOf<P>> | string
}

export const coreKernels: KernelWriters<'gru' | 'dense'> = {
  gru: writeGru,
  dense: writeDense,
}
