/** What goes across the lanes: sums and maxima of a vector whose width is no multiple of four. */

import { LANES } from '../../plan.ts'
import type { Value } from '../assembler.ts'
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

const VECTOR = 16

/** Four lanes at a time; lanes of the last vector that are no units become `outside`. */
export function eachVector(
  k: Lanes,
  at: Pointer,
  width: number,
  outside: number,
  body: (value: Vector, place: Pointer) => void,
): void {
  const { v128 } = k.f
  const whole = Math.floor(width / LANES)
  const place = pointer(k, at)
  if (whole > 0) {
    repeat(k, whole, () => {
      body(hold(k, v128.load(0, place)), place)
      advance(k, place, VECTOR)
    })
  }
  if (whole * LANES === width) return
  const units = Array.from({ length: LANES }, (_, lane) => (whole * LANES + lane < width ? -1 : 0))
  const [value, other] = [hold(k, v128.load(0, place)), hold(k, all(k, outside))]
  body(hold(k, v128.bitselect(value, other, v128.const('i32x4', units))), place)
}

/** (s0 ∘ s1) ∘ (s2 ∘ s3), in every lane. */
export function acrossLanes(
  k: Lanes,
  value: Vector,
  combine: (a: Vector, b: Vector) => Value<'v128'>,
): void {
  for (const order of [PAIRS, HALVES]) {
    const swapped = hold(k, k.f.i8x16.shuffle(order, value, value))
    k.f.local.set(value, combine(value, swapped))
  }
}

/** Lanes 1 0 3 2, then 2 3 0 1, in bytes. */
const PAIRS = lanes(1, 0, 3, 2)
const HALVES = lanes(2, 3, 0, 1)

function lanes(...order: readonly number[]): readonly number[] {
  return order.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte))
}
