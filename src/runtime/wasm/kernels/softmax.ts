/** Softmax in four lanes, in the order of `js/ops32.ts`: sum l takes the units u ≡ l (mod 4). */

import { LANES, padded } from '../../plan.ts'
import {
  advance,
  all,
  hold,
  type Lanes,
  type Pointer,
  pointer,
  repeat,
  type Vector,
} from './lanes.ts'
import { exp } from './math.ts'

const VECTOR = 16

/** a = e^(a − max a) / Σ e^(a − max a) over `width` numbers. NaN anywhere is NaN everywhere. */
export function softmax(k: Lanes, at: Pointer, width: number): void {
  const { f32x4, local, v128 } = k.f
  const vectors = padded(width) / LANES
  const whole = Math.floor(width / LANES)
  // Lanes of the last vector that are no units.
  const rest = Array.from({ length: LANES }, (_, lane) => (whole * LANES + lane < width ? -1 : 0))
  /** For each vector; in the last, lanes that are no units become `outside`. */
  const each = (outside: number, body: (value: Vector, place: Pointer) => void): void => {
    const place = pointer(k, at)
    if (whole > 0) {
      repeat(k, whole, () => {
        body(hold(k, v128.load(0, place)), place)
        advance(k, place, VECTOR)
      })
    }
    if (vectors === whole) return
    const [value, other] = [hold(k, v128.load(0, place)), hold(k, all(k, outside))]
    body(hold(k, v128.bitselect(value, other, v128.const('i32x4', rest))), place)
  }

  const max = hold(k, all(k, Number.NEGATIVE_INFINITY))
  each(Number.NEGATIVE_INFINITY, (value) => local.set(max, f32x4.pmax(max, value)))
  for (const lanes of [PAIRS, HALVES]) local.set(max, f32x4.pmax(max, swapped(k, max, lanes)))

  const sum = hold(k, all(k, 0))
  // e^(−∞ − max) is 0, unless max is infinite itself: then all is NaN, and so it should be.
  each(Number.NEGATIVE_INFINITY, (value, place) => {
    const shifted = hold(k, f32x4.sub(value, max))
    const e = hold(k, exp(k, shifted))
    v128.store(0, place, e)
    local.set(sum, f32x4.add(sum, e))
  })
  for (const lanes of [PAIRS, HALVES]) local.set(sum, f32x4.add(sum, swapped(k, sum, lanes)))
  each(0, (value, place) => v128.store(0, place, f32x4.div(value, sum)))
}

/** Lanes 1 0 3 2, then 2 3 0 1, in bytes: (s0 + s1) + (s2 + s3) in every lane. */
const PAIRS = lanes(1, 0, 3, 2)
const HALVES = lanes(2, 3, 0, 1)

function lanes(...order: readonly number[]): readonly number[] {
  return order.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte))
}

function swapped(k: Lanes, value: Vector, order: readonly number[]): Vector {
  return hold(k, k.f.i8x16.shuffle(order, value, value))
}
