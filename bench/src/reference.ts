/** The equations in float64, with which every contender is compared; not written for speed. */

import type { Layer, Work } from './layer.ts'

/**
 * Outputs [rows, steps, units] from zero states.
 *
 *     z = σ(Wz·x + Uz·h + biz + brz)
 *     r = σ(Wr·x + Ur·h + bir + brr)
 *     n = tanh(Wn·x + bin + r ⊙ (Un·h + brn))     reset after
 *     n = tanh(Wn·x + Un·(r ⊙ h) + bin + brn)     reset before
 *     h' = z ⊙ h + (1−z) ⊙ n
 */
export function reference(layer: Layer, work: Work, reset: 'after' | 'before'): Float64Array {
  const { units, features, kernel, recurrentKernel, bias } = layer
  const { rows, steps, x } = work
  const y = new Float64Array(rows * steps * units)
  const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
  const product = (
    weights: Float32Array,
    vector: ArrayLike<number>,
    at: number,
    size: number,
    column: number,
  ): number => {
    let sum = 0
    for (let i = 0; i < size; i++) sum += weights[i * 3 * units + column] * vector[at + i]
    return sum
  }
  for (let row = 0; row < rows; row++) {
    let h = new Float64Array(units)
    for (let t = 0; t < steps; t++) {
      const xAt = (row * steps + t) * features
      const input = (gate: number, u: number): number =>
        product(kernel, x, xAt, features, gate * units + u) + bias[gate * units + u]
      const recurrent = (gate: number, u: number, state: Float64Array): number =>
        product(recurrentKernel, state, 0, units, gate * units + u) + bias[(3 + gate) * units + u]
      const z = Float64Array.from(h, (_, u) => sigmoid(input(0, u) + recurrent(0, u, h)))
      const r = Float64Array.from(h, (_, u) => sigmoid(input(1, u) + recurrent(1, u, h)))
      const gated = h.map((value, u) => r[u] * value)
      const n = Float64Array.from(h, (_, u) =>
        reset === 'after'
          ? Math.tanh(input(2, u) + r[u] * recurrent(2, u, h))
          : Math.tanh(input(2, u) + recurrent(2, u, gated)),
      )
      h = h.map((value, u) => z[u] * value + (1 - z[u]) * n[u])
      y.set(h, (row * steps + t) * units)
    }
  }
  return y
}

/** The largest absolute difference; NaN counts as infinite. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i])
    if (!(error <= largest)) largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
  }
  return largest
}
