/**
 * Writes what goes across lanes: sums and maxima of a vector whose width is no multiple of four.
 *
 * In either precision there are four of each, of the units u ≡ 0, 1, 2, 3 (mod 4): the lanes of the
 * vectors of a group, one by one.
 */

import { LANES } from '../../plan/types.ts'
import type { Value } from '../assembler/module.ts'
import {
  advance,
  type Emitter,
  type Pointer,
  pointer,
  repeat,
  splat,
  toLocal,
  VECTOR,
  type Vector,
} from './emitter.ts'

/** A number in the four lanes of a group, for `eachVector` to add to. */
export function fourLanes(k: Emitter, start: number): Vector[] {
  return Array.from({ length: k.parts }, () => toLocal(k, splat(k, start)))
}

/**
 * One vector at a time, and which part of its group it is; lanes of the last one that are no units
 * become `outside`.
 */
export function eachVector(
  k: Emitter,
  at: Pointer,
  width: number,
  outside: number,
  body: (value: Vector, place: Pointer, part: number) => void,
): void {
  const { v128 } = k.f
  const whole = Math.floor(width / LANES)
  const place = pointer(k, at)
  if (whole > 0) {
    repeat(k, whole, () => {
      for (let part = 0; part < k.parts; part++) {
        body(toLocal(k, v128.load(0, place)), place, part)
        advance(k, place, VECTOR)
      }
    })
  }
  const perVector = LANES / k.parts
  for (let u = whole * LANES, part = 0; u < width; u += perVector, part++) {
    const value = toLocal(k, v128.load(0, place))
    if (u + perVector > width) keepUnits(k, value, width - u, outside)
    body(value, place, part)
    advance(k, place, VECTOR)
  }
}

/** Lanes behind the first `count` become `outside`. */
function keepUnits(k: Emitter, value: Vector, count: number, outside: number): void {
  const { local, v128 } = k.f
  const words = Array.from({ length: 4 }, (_, word) => (4 * word < count * k.bytes ? -1 : 0))
  const other = toLocal(k, splat(k, outside))
  local.set(value, v128.bitselect(value, other, v128.const(words)))
}

/** (s0 ∘ s1) ∘ (s2 ∘ s3), in every lane of a vector. */
export function acrossLanes(
  k: Emitter,
  [first, second]: readonly Vector[],
  combine: (a: Vector, b: Vector) => Value<'v128'>,
): Vector {
  const withSwapped = (value: Vector, order: readonly number[]): Vector =>
    toLocal(k, combine(value, toLocal(k, k.f.i8x16.shuffle(order, value, value))))
  if (second === undefined) return withSwapped(withSwapped(first, PAIRS), HALVES)
  return toLocal(k, combine(withSwapped(first, HALVES), withSwapped(second, HALVES)))
}

/** Words 1 0 3 2, then 2 3 0 1, in bytes. */
const PAIRS = words(1, 0, 3, 2)
const HALVES = words(2, 3, 0, 1)

function words(...order: readonly number[]): readonly number[] {
  return order.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte))
}
