/** Brings numbers that lie in memory by strides into C order. */

import { sizeOf } from '../../tensor.ts'

/**
 * How far apart neighbours along each axis lie, in elements; in Fortran order the first axis runs
 * fastest.
 */
export function stridesOf(shape: readonly number[], fortran = false): readonly number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = 0; i < shape.length; i++) {
    const axis = fortran ? i : shape.length - 1 - i
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** Those of numbers that repeat along the axes where `shape` is longer: 0 there. */
export function repeatingStrides(
  stored: readonly number[],
  shape: readonly number[],
): readonly number[] {
  return stridesOf(stored).map((stride, axis) =>
    stored[axis] === 1 && shape[axis] !== 1 ? 0 : stride,
  )
}

/** Element i₀, i₁, … of the result is number i₀·stride₀ + i₁·stride₁ + … of the source. */
export function inCOrder(
  source: Float32Array | Float64Array,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array | Float64Array {
  const size = sizeOf(shape)
  const data = source instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
  const index = new Array<number>(shape.length).fill(0)
  let at = 0
  for (let i = 0; i < size; i++) {
    data[i] = source[at]
    // Like an odometer: the last axis runs fastest.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]
      if (++index[axis] < shape[axis]) break
      at -= shape[axis] * strides[axis]
      index[axis] = 0
    }
  }
  return data
}
