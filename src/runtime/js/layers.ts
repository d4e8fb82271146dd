/** Lists the kernels in plain JavaScript, by kind of layer. */

import type { FrameKernel, FrameKind, KernelOf } from '../plan/kernels.ts'
import type { PlanOptions } from '../plan/types.ts'
import { activation } from './activation.ts'
import { affine } from './affine.ts'
import { conv1d } from './conv1d.ts'
import type { JsCursor, JsLayer } from './cursor.ts'
import { dense } from './dense.ts'
import { embedding } from './embedding.ts'
import { gru } from './gru.ts'
import { layerNorm } from './layer-norm.ts'
import { lstm } from './lstm.ts'
import { masking } from './masking.ts'
import { merge } from './merge.ts'
import { ops32 } from './ops32.ts'
import { ops64 } from './ops64.ts'
import { prelu } from './prelu.ts'
import { rnn } from './rnn.ts'

const layers: { readonly [K in FrameKind]: JsLayer<KernelOf<K>> } = {
  gru,
  lstm,
  rnn,
  dense,
  activation,
  prelu,
  affine,
  batchNorm: affine,
  layerNorm,
  embedding,
  masking,
  conv1d,
  merge,
}

/** Runs a kernel on the rows and steps of a cursor. */
export type RunJs = (kernel: FrameKernel, cursor: JsCursor) => void

export function jsKernels({ precision }: Pick<PlanOptions, 'precision'>): RunJs {
  const ops = precision === 'f32' ? ops32 : ops64
  // The table's type ties each kind to its kernel; TypeScript cannot follow an index.
  return (kernel, cursor) => (layers[kernel.kind] as JsLayer<FrameKernel>)(kernel, ops, cursor)
}
