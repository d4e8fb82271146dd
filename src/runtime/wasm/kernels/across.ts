/**
 * What goes across the lanes: sums and maxima of a vector of units.
 *
 * In either precision there are four of them, of the units u ≡ 0, 1, 2, 3 (mod 4): the lanes of the
 * vectors of a group, one by one.
 */

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
  VECTOR,
  type Vector,
} from './lanes.ts'

/** A number in the four lanes of a group, for `eachVector` to add to. */
export function fourLanes(k: Lanes, start: number): Vector[] {
  return Array.from({ length: k.parts }, () => hold(k, all(k, start)))
}

/** One vector at a time, and which part of its group it is. Returns where it ended. */
export function eachVector(
  k: Lanes,
  at: Pointer,
  width: number,
  body: (value: Vector, place: Pointer, part: number) => void,
): Pointer {
  const place = pointer(k, at)
  repeat(k, Math.ceil(width / LANES), () => {
    for (let part = 0; part < k.parts; part++) {
      body(hold(k, k.f.v128.load(0, place)), place, part)
      advance(k, place, VECTOR)
    }
  })
  return place
}

/** (s0 ∘ s1) ∘ (s2 ∘ s3), in every lane of a vector. */
export function acrossLanes(
  k: Lanes,
  values: readonly Vector[],
  combine: (a: Vector, b: Vector) => Value<'v128'>,
): Vector {
  const orders = values.length === 1 ? [PAIRS, HALVES] : [HALVES]
  const withSwapped = (value: Vector, order: readonly number[]): Vector =>
    hold(k, combine(value, hold(k, k.f.i8x16.shuffle(order, value, value))))
  return values
    .map((value) => orders.reduce(withSwapped, value))
    .reduce((a, b) => hold(k, combine(a, b)))
}

/** Words 1 0 3 2, then 2 3 0 1, in bytes. */
const PAIRS = words(1, 0, 3, 2)
const HALVES = words(2, 3, 0, 1)

function words(...order: readonly number[]): readonly number[] {
  return order.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte))
}
