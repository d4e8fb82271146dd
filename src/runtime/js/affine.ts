/**
 * Affine and batch normalisation layers in plain JavaScript: y = (x − centre) ⊙ scale + shift, each
 * operation rounded. The weights are those of `layers/affine.ts`.
 */

import type { AffineKernel, BatchNormKernel } from '../plan/kernels.ts'
import type { Memory } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import { overFrame } from './vectors.ts'

export const affine: JsLayer<AffineKernel | BatchNormKernel> = (kernel, _, cursor) =>
  overFrame(kernel, cursor, (x, y) => transform(kernel, cursor.memory, x, y))

function transform(
  { lanes, weights }: AffineKernel | BatchNormKernel,
  m: Memory,
  x: number,
  y: number,
): void {
  // Each number is stored before it is used again, and so rounded as the memory is.
  for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] - m[weights + i]
  for (let i = 0; i < lanes; i++) m[y + i] *= m[weights + lanes + i]
  for (let i = 0; i < lanes; i++) m[y + i] += m[weights + 2 * lanes + i]
}
