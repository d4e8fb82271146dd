/**
 * Layer normalisation in plain JavaScript, each operation rounded:
 * mean = S(x)/width; d = x − mean; y = d / √(S(d·d)/width + epsilon) · gamma + beta, where S adds
 * lane by lane as softmax does: ((x0+x4+…) + (x1+x5+…)) + ((x2+x6+…) + (x3+x7+…)).
 */

import type { LayerNormKernel } from '../plan/kernels.ts'
import type { Memory } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import { overFrame } from './vectors.ts'

export const layerNorm: JsLayer<LayerNormKernel> = (kernel, ops, cursor) => {
  const { memory: m } = cursor
  const { width, lanes, weights, epsilon } = kernel
  overFrame(kernel, cursor, (x, y) => {
    const mean = ops.round(laneSum(m, x, width, ops.round, false) / width)
    for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] - mean
    const variance = ops.round(laneSum(m, y, width, ops.round, true) / width)
    const deviation = ops.round(Math.sqrt(ops.round(variance + ops.round(epsilon))))
    for (let i = 0; i < lanes; i++) m[y + i] /= deviation
    for (let i = 0; i < lanes; i++) m[y + i] *= m[weights + i]
    for (let i = 0; i < lanes; i++) m[y + i] += m[weights + lanes + i]
  })
}

/** S of the numbers, or of their squares. */
function laneSum(
  m: Memory,
  at: number,
  width: number,
  round: (a: number) => number,
  squared: boolean,
): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  for (let i = 0; i < width; i++) {
    const a = m[at + i]
    const term = squared ? round(a * a) : a
    if (i % 4 === 0) s0 = round(s0 + term)
    else if (i % 4 === 1) s1 = round(s1 + term)
    else if (i % 4 === 2) s2 = round(s2 + term)
    else s3 = round(s3 + term)
  }
  return round(round(s0 + s1) + round(s2 + s3))
}
