/** Softmax in four lanes, in the order of `js/ops32.ts`: sum l takes the units u ≡ l (mod 4). */

import { acrossLanes, eachVector, fourLanes } from './across.ts'
import { type Emitter, type Pointer, toLocal } from './emitter.ts'

/** a = e^(a − max a) / Σ e^(a − max a) over `width` numbers. NaN anywhere is NaN everywhere. */
export function softmax(k: Emitter, at: Pointer, width: number): void {
  const { float, local, v128 } = k.f
  const most = fourLanes(k, Number.NEGATIVE_INFINITY)
  eachVector(k, at, width, Number.NEGATIVE_INFINITY, (value, _, part) =>
    local.set(most[part], float.pmax(most[part], value)),
  )
  const max = acrossLanes(k, most, float.pmax)

  const sums = fourLanes(k, 0)
  // e^(−∞ − max) is 0, unless max is infinite itself: then all is NaN, and so it should be.
  eachVector(k, at, width, Number.NEGATIVE_INFINITY, (value, place, part) => {
    const shifted = toLocal(k, float.sub(value, max))
    const e = toLocal(k, k.elementary.exp(k, shifted))
    v128.store(0, place, e)
    local.set(sums[part], float.add(sums[part], e))
  })
  const sum = acrossLanes(k, sums, float.add)
  eachVector(k, at, width, 0, (value, place) => v128.store(0, place, float.div(value, sum)))
}
