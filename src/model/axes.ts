/** Reorders and cuts the axes of tensors. Numbers are moved, never changed. */

import { dtypeOf, sizeOf, type Tensor } from '../tensor.ts'

/**
 * The same numbers with their axes in another order: axis i of the result is axis `axes[i]`. −1 puts
 * in an extent of one; axes that are left out must be of that extent.
 */
export function permuteAxes(tensor: Tensor, axes: readonly number[]): Tensor {
  const { shape, data } = tensor
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const extents = axes.map((axis) => shape[axis] ?? 1)
  const steps = axes.map((axis) => strides[axis] ?? 0)
  const permuted = data.slice()
  const at = new Array<number>(axes.length).fill(0)
  let from = 0
  for (let to = 0; to < permuted.length; to++) {
    permuted[to] = data[from]
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axis]
      if (++at[axis] < extents[axis]) break
      from -= steps[axis] * extents[axis]
      at[axis] = 0
    }
  }
  return { ...tensor, shape: extents, data: permuted }
}

/** [rows, columns] → [columns, rows], faster than `permuteAxes`. */
export function transpose(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape
  const data = emptyLike(matrix, rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) data[j * rows + i] = matrix.data[i * columns + j]
  }
  return { shape: [columns, rows], data, dtype: dtypeOf(matrix) }
}

/** Rows `from` to `to` of a tensor's first axis; a single row loses that axis when `squeeze` is set. */
export function sliceRows(tensor: Tensor, from: number, to: number, squeeze = false): Tensor {
  const row = tensor.data.length / tensor.shape[0]
  const shape = squeeze ? tensor.shape.slice(1) : [to - from, ...tensor.shape.slice(1)]
  return { shape, data: tensor.data.slice(from * row, to * row), dtype: dtypeOf(tensor) }
}

/** Zeros, in the precision of a tensor. */
export function emptyLike(tensor: Tensor, length: number): Float32Array | Float64Array {
  return tensor.data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
}
