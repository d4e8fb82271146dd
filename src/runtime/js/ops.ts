/**
 * The vector operations that JavaScript kernels are made of, one implementation per precision.
 *
 * All work in place on one memory; positions and counts are in elements, counts are multiples of
 * the four lanes. Each states its formula with every rounding, because the WebAssembly kernels
 * must come to the same bits (docs/numerics.md).
 */

import type { ElementwiseActivation } from '../../model/activation/activations.ts'
import type { Memory } from '../plan/types.ts'

export interface Ops {
  /** To the precision of the memory. */
  readonly round: (a: number) => number
  /**
   * out[l] = (…((out[l] + w[0, l]·x[0]) + w[1, l]·x[1])…) for the four lanes l, where row i of the
   * weights lies at `w + i·stride`. Product and sum are each rounded.
   */
  readonly accumulate: (
    m: Memory,
    out: number,
    w: number,
    stride: number,
    x: number,
    count: number,
  ) => void
  /** a = φ(a) */
  readonly activate: (
    m: Memory,
    at: number,
    count: number,
    activation: ElementwiseActivation,
  ) => void
  /** out = a·b */
  readonly multiply: (m: Memory, out: number, a: number, b: number, count: number) => void
  /** out = out + a */
  readonly add: (m: Memory, out: number, a: number, count: number) => void
  /** out = out / by */
  readonly divide: (m: Memory, out: number, by: number, count: number) => void
  /** a = a, limited to ±limit; NaN stays. */
  readonly clip: (m: Memory, at: number, limit: number, count: number) => void
  /** out = out + a·b */
  readonly multiplyAdd: (m: Memory, out: number, a: number, b: number, count: number) => void
  /** out = z·a + (1 − z)·b */
  readonly blend: (m: Memory, out: number, z: number, a: number, b: number, count: number) => void
  /**
   * Softmax of `width` numbers: e = exp(a − max), s = ((e0+e4+…) + (e1+e5+…)) + ((e2+e6+…) + (e3+e7+…)),
   * a = e / s.
   */
  readonly softmax: (m: Memory, at: number, width: number) => void
}
