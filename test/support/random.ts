/** Seeded random numbers, layers and sequences. Units, features and lengths differ on purpose. */

import {
  type GruOptions,
  gru,
  type LstmOptions,
  lstm,
  type SimpleRnnOptions,
  simpleRnn,
} from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { random } from '../../src/verify/random.ts'

export { random }

/** float32 numbers, uniform in ±scale. */
export function tensor(next: () => number, shape: readonly number[], scale = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return { shape, data: Float32Array.from({ length: size }, () => (2 * next() - 1) * scale) }
}

/** The same from a seed of its own. */
export function randomTensor(seed: number, shape: readonly number[], scale = 1): Tensor {
  return tensor(random(seed), shape, scale)
}

/** A GRU with random kernels of the usual scale and random non-zero biases. */
export function randomGru(
  seed: number,
  features: number,
  units: number,
  options: Partial<GruOptions> = {},
): ReturnType<typeof gru> {
  return gru({ ...randomArrays(seed, features, units, 3), ...options })
}

/** The same for an LSTM. */
export function randomLstm(
  seed: number,
  features: number,
  units: number,
  options: Partial<LstmOptions> = {},
): ReturnType<typeof lstm> {
  return lstm({ ...randomArrays(seed, features, units, 4), ...options })
}

/** The same for a simple RNN. */
export function randomRnn(
  seed: number,
  features: number,
  units: number,
  options: Partial<SimpleRnnOptions> = {},
): ReturnType<typeof simpleRnn> {
  return simpleRnn({ ...randomArrays(seed, features, units, 1), ...options })
}

export function randomArrays(
  seed: number,
  features: number,
  units: number,
  gates: number,
  scale: number = 1 / Math.sqrt(units),
): Readonly<Record<'kernel' | 'recurrentKernel' | 'bias', Tensor>> {
  const next = random(seed)
  return {
    kernel: tensor(next, [features, gates * units], scale),
    recurrentKernel: tensor(next, [units, gates * units], scale),
    bias: tensor(next, [2, gates * units], scale),
  }
}
