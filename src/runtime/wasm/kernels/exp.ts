/** e^x in four lanes of float32, for softmax and some activations: see `math.ts`. */

import { allBits, clamp, hold, type Lanes, type Result, type Vector } from './lanes.ts'
import { expOf, powerOf2, ROUND_BITS, reduced } from './math.ts'

/** e^x = 2ⁿ·e^r, where 2ⁿ is multiplied in two steps because it may not be a normal number itself. */
export function exp(k: Lanes, x: Vector): Result {
  const { f32x4, i32x4 } = k.f
  const { t, r } = reduced(k, hold(k, clamp(k, x, -104, 89)))
  const i = hold(k, i32x4.sub(t, allBits(k, ROUND_BITS)))
  const half = hold(k, i32x4.shr_s(i, 1))
  const first = hold(k, powerOf2(k, half, 0))
  const rest = hold(k, i32x4.sub(i, half))
  return f32x4.mul(f32x4.mul(expOf(k, r), first), powerOf2(k, rest, 0))
}
