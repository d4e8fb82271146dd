/** Softmax in four lanes, in the order of `js/ops32.ts`: sum l takes the units u ≡ l (mod 4). */

import { acrossLanes, eachVector } from './across.ts'
import { all, hold, type Lanes, type Pointer } from './lanes.ts'
import { exp } from './math.ts'

/** a = e^(a − max a) / Σ e^(a − max a) over `width` numbers. NaN anywhere is NaN everywhere. */
export function softmax(k: Lanes, at: Pointer, width: number): void {
  const { f32x4, local, v128 } = k.f
  const max = hold(k, all(k, Number.NEGATIVE_INFINITY))
  eachVector(k, at, width, Number.NEGATIVE_INFINITY, (value) =>
    local.set(max, f32x4.pmax(max, value)),
  )
  acrossLanes(k, max, f32x4.pmax)

  const sum = hold(k, all(k, 0))
  // e^(−∞ − max) is 0, unless max is infinite itself: then all is NaN, and so it should be.
  eachVector(k, at, width, Number.NEGATIVE_INFINITY, (value, place) => {
    const shifted = hold(k, f32x4.sub(value, max))
    const e = hold(k, exp(k, shifted))
    v128.store(0, place, e)
    local.set(sum, f32x4.add(sum, e))
  })
  acrossLanes(k, sum, f32x4.add)
  eachVector(k, at, width, 0, (value, place) => v128.store(0, place, f32x4.div(value, sum)))
}
