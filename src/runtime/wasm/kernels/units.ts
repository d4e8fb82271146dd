/** The units of a vector whose width is no multiple of four, without the lanes behind them. */

import { LANES } from '../../plan.ts'
import { eachVector } from './across.ts'
import {
  advance,
  all,
  hold,
  type Lanes,
  type Pointer,
  pointer,
  VECTOR,
  type Vector,
} from './lanes.ts'

/** `eachVector`, where lanes of the last one that are no units become `outside`. */
export function eachVectorOfUnits(
  k: Lanes,
  at: Pointer,
  width: number,
  outside: number,
  body: (value: Vector, place: Pointer, part: number) => void,
): void {
  const { v128 } = k.f
  const whole = width - (width % LANES)
  const place = whole > 0 ? eachVector(k, at, whole, body) : pointer(k, at)
  const perVector = LANES / k.parts
  for (let u = whole, part = 0; u < width; u += perVector, part++) {
    const value = hold(k, v128.load(0, place))
    if (u + perVector > width) keepUnits(k, value, width - u, outside)
    body(value, place, part)
    advance(k, place, VECTOR)
  }
}

/** Lanes behind the first `count` become `outside`. */
function keepUnits(k: Lanes, value: Vector, count: number, outside: number): void {
  const { local, v128 } = k.f
  const words = Array.from({ length: 4 }, (_, word) => (4 * word < count * k.bytes ? -1 : 0))
  const other = hold(k, all(k, outside))
  local.set(value, v128.bitselect(value, other, v128.const('i32x4', words)))
}
