/** The geometry that convolutions and pooling share: which number meets which tap of a window. */

import { samePadding, type Window } from '../../model/shapes/dims.ts'
import type { Padding } from '../../model/types.ts'
import { sizeOf } from '../../tensor.ts'
import { stridesOf } from './strides.ts'

export interface Windows {
  /** Extents of the longer side: x of a convolution, y of its transpose. */
  readonly long: readonly number[]
  /** Extents of the other side: one window for each position. */
  readonly short: readonly number[]
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** How many elements outside the long side the first window begins. */
  readonly before: readonly number[]
}

export function windowsOf(
  geometry: Omit<Windows, 'before'>,
  padding: Padding,
  /** What `same` divides, where that is not the long side. */
  extents = geometry.long,
): Windows {
  const before = extents.map((extent, axis) => {
    if (padding !== 'same') return padding[axis].before
    const window: Omit<Window, 'padding'> = {
      size: geometry.sizes[axis],
      stride: geometry.strides[axis],
      dilation: geometry.dilations[axis],
    }
    return samePadding(extent, window).before
  })
  return { ...geometry, before }
}

/**
 * Calls `visit` for each window with the taps that lie inside: tap number `taps[i]` (row-major in
 * `sizes`) meets position `places[i]` (row-major in `long`), for the first `count` of them. The
 * lists are the same objects every time.
 */
export function forEachWindow(
  { long, short, sizes, strides, dilations, before }: Windows,
  visit: (window: number, taps: Int32Array, places: Int32Array, count: number) => void,
): void {
  const rank = long.length
  const steps = stridesOf(long)
  const tapSteps = stridesOf(sizes)
  // No more taps of a window lie inside than there are places.
  const most = long.map((extent, axis) => Math.min(extent, sizes[axis]))
  const taps = new Int32Array(sizeOf(most))
  const places = new Int32Array(taps.length)
  const position = new Int32Array(rank)
  const tap = new Int32Array(rank)
  const first = new Int32Array(rank)
  const inside = new Int32Array(rank)
  const total = sizeOf(short)
  for (let window = 0; window < total; window++) {
    let count = 1
    for (let axis = 0; axis < rank; axis++) {
      // Taps t with 0 ≤ start + t·dilation < long: a window may be far larger than the data.
      const start = position[axis] * strides[axis] - before[axis]
      first[axis] = Math.max(0, Math.ceil(-start / dilations[axis]))
      const end = Math.min(sizes[axis], Math.ceil((long[axis] - start) / dilations[axis]))
      inside[axis] = Math.max(0, end - first[axis])
      count *= inside[axis]
    }
    tap.fill(0)
    for (let i = 0; i < count; i++) {
      let place = 0
      let number = 0
      for (let axis = 0; axis < rank; axis++) {
        const t = first[axis] + tap[axis]
        place += (position[axis] * strides[axis] - before[axis] + t * dilations[axis]) * steps[axis]
        number += t * tapSteps[axis]
      }
      taps[i] = number
      places[i] = place
      advance(tap, inside)
    }
    visit(window, taps, places, count)
    advance(position, short)
  }
}

/** The next index of a shape, row-major. */
function advance(index: Int32Array, shape: ArrayLike<number>): void {
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (++index[axis] < shape[axis]) return
    index[axis] = 0
  }
}
