/**
 * Affine and batch normalisation layers in plain JavaScript: y = (x − centre) ⊙ scale + shift, each
 * operation rounded. The weights are those of `layers/affine.ts`.
 */

import type { JsLayer } from '../layer.ts'
import type { AffineKernel, BatchNormKernel, Offsets } from '../layers/affine.ts'
import type { VectorMap } from '../layers/vectors.ts'
import type { Memory } from './ops.ts'
import { overFrame } from './vectors.ts'

export const affine: JsLayer<AffineKernel> = (kernel, _, place) =>
  overFrame(kernel, place, (x, y) => transform(kernel, place.memory, x, y))

export const batchNorm: JsLayer<BatchNormKernel> = (kernel, _, place) =>
  overFrame(kernel, place, (x, y) => transform(kernel, place.memory, x, y))

function transform({ lanes, weights }: VectorMap & Offsets, m: Memory, x: number, y: number): void {
  // Each number is stored before it is used again, and so rounded as the memory is.
  for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] - m[weights + i]
  for (let i = 0; i < lanes; i++) m[y + i] *= m[weights + lanes + i]
  for (let i = 0; i < lanes; i++) m[y + i] += m[weights + 2 * lanes + i]
}
