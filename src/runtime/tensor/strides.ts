/** Whole tensors in memory: strides, and the one loop that reads a tensor in another order. */

import { GruvError } from '../../errors.ts'
import { MOST_IN_ONE_TENSOR } from '../../limits.ts'
import { sizeOf } from '../../tensor.ts'

/** A tensor on its way through these layers: always float64. */
export interface Block {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/**
 * Zeros for that shape.
 * @throws GruvError `too-large`
 */
export function zeros(where: string, shape: readonly number[]): Float64Array {
  const size = sizeOf(shape)
  if (size <= MOST_IN_ONE_TENSOR) return new Float64Array(size)
  throw new GruvError('too-large', 'the result of this layer does not fit into memory', {
    where,
    expected: `at most ${MOST_IN_ONE_TENSOR} numbers`,
    got: `[${shape.join(', ')}]`,
  })
}

/** How far apart neighbours along each axis lie, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** The strides with which a tensor is read as if it had that wider shape: 0 where it is repeated. */
export function broadcastStrides(shape: readonly number[], wide: readonly number[]): number[] {
  const strides = stridesOf(shape)
  return wide.map((_, i) => {
    const axis = i - wide.length + shape.length
    return axis < 0 || shape[axis] === 1 ? 0 : strides[axis]
  })
}

/** Where each element of a shape lies, under these strides; for a few outer axes, not for elements. */
export function offsetsOf(shape: readonly number[], strides: readonly number[]): number[] {
  let offsets = [0]
  shape.forEach((extent, axis) => {
    offsets = offsets.flatMap((offset) =>
      Array.from({ length: extent }, (_, i) => offset + i * strides[axis]),
    )
  })
  return offsets
}

/** out, row-major in `shape`, from x at offset + Σ index·stride. */
export function readStrided(
  x: Float64Array,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  out: Float64Array,
): Float64Array {
  if (out.length === 0) return out
  const last = shape.length - 1
  const width = last < 0 ? 1 : shape[last]
  const stride = last < 0 ? 1 : strides[last]
  const index = new Int32Array(Math.max(last, 0))
  let from = offset
  for (let at = 0; at < out.length; at += width) {
    if (stride === 1) {
      for (let i = 0; i < width; i++) out[at + i] = x[from + i]
    } else {
      for (let i = 0, j = from; i < width; i++, j += stride) out[at + i] = x[j]
    }
    // The next position of the outer axes, like an odometer.
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++index[axis] < shape[axis]) break
      from -= shape[axis] * strides[axis]
      index[axis] = 0
    }
  }
  return out
}
