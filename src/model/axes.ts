/** Axes in another order. */

import { sizeOf, type Tensor } from '../tensor.ts'

/** The same numbers with their axes in another order: axis i of the result is axis `axes[i]`. */
export function permuteAxes(tensor: Tensor, axes: readonly number[]): Tensor {
  const { shape, data } = tensor
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const extents = axes.map((axis) => shape[axis])
  const steps = axes.map((axis) => strides[axis])
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
