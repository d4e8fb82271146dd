/** Seeded random numbers, layers and sequences. Units, features and lengths differ on purpose. */

import { type GruOptions, gru } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'

/** mulberry32: 32 bits of state, good enough for test data, the same everywhere. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** float32 numbers, uniform in ±scale. */
export function tensor(next: () => number, shape: readonly number[], scale = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return { shape, data: Float32Array.from({ length: size }, () => (2 * next() - 1) * scale) }
}

/** A GRU with random kernels of the usual scale and random non-zero biases. */
export function randomGru(
  seed: number,
  features: number,
  units: number,
  options: Partial<GruOptions> = {},
): ReturnType<typeof gru> {
  const next = random(seed)
  const scale = 1 / Math.sqrt(units)
  return gru({
    kernel: tensor(next, [features, 3 * units], scale),
    recurrentKernel: tensor(next, [units, 3 * units], scale),
    bias: tensor(next, [2, 3 * units], scale),
    ...options,
  })
}
