/** The kernels in plain JavaScript, by kind. */

import type { FrameKernel, FrameKind, JsLayer, JsPlace } from '../layer.ts'
import type { PlanOptions } from '../plan.ts'
import { activation } from './activation.ts'
import { affine, batchNorm } from './affine.ts'
import { conv1d } from './conv1d.ts'
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

const layers: { readonly [K in FrameKind]: JsLayer<Extract<FrameKernel, { kind: K }>> } = {
  gru,
  lstm,
  rnn,
  dense,
  activation,
  prelu,
  affine,
  batchNorm,
  layerNorm,
  embedding,
  masking,
  conv1d,
  merge,
}

/** Runs a kernel on the rows and steps of a place. */
export type RunJs = (kernel: FrameKernel, place: JsPlace) => void

export function jsKernels({ precision }: Pick<PlanOptions, 'precision'>): RunJs {
  const ops = precision === 'f32' ? ops32 : ops64
  // The table's type ties each kind to its kernel; TypeScript cannot follow an index.
  return (kernel, place) => (layers[kernel.kind] as JsLayer<FrameKernel>)(kernel, ops, place)
}
