/** Matrix products. */

import type { MatmulNode } from '../../model/types.ts'
import { type Named, sizeOf } from '../../tensor.ts'
import { type Block, broadcastStrides, offsetsOf, zeros } from './strides.ts'

export function matmul(node: MatmulNode, { a, b }: Named<Block>, shape: readonly number[]) {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  const [rows, inner] = left.slice(-2)
  const columns = right[right.length - 1]
  const missing = (a.shape.length === 1 ? 1 : 0) + (b.shape.length === 1 ? 1 : 0)
  const leading = shape.slice(0, shape.length - 2 + missing)
  const matrices = (outer: readonly number[], size: number): number[] =>
    offsetsOf(
      leading,
      broadcastStrides(outer, leading).map((stride) => stride * size),
    )
  const y = zeros(node.name, shape)
  if (sizeOf(shape) === 0) return y
  const fromA = matrices(left.slice(0, -2), rows * inner)
  const fromB = matrices(right.slice(0, -2), inner * columns)
  for (let i = 0; i < fromA.length; i++) {
    addProduct(a.data, fromA[i], b.data, fromB[i], rows, inner, columns, y, i * rows * columns)
  }
  return y
}

/**
 * y += a·b, for a [rows, inner] and b [inner, columns], whose rows lie `stride` apart. Each sum goes
 * through `inner` in order; four terms at a time, so that y is read and written less often.
 */
export function addProduct(
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  rows: number,
  inner: number,
  columns: number,
  y: Float64Array,
  atY: number,
  stride = columns,
): void {
  for (let i = 0; i < rows; i++) {
    const from = atA + i * inner
    const out = atY + i * columns
    let k = 0
    for (; k + 4 <= inner; k += 4) {
      const a0 = a[from + k]
      const a1 = a[from + k + 1]
      const a2 = a[from + k + 2]
      const a3 = a[from + k + 3]
      const b0 = atB + k * stride
      const b1 = b0 + stride
      const b2 = b1 + stride
      const b3 = b2 + stride
      for (let j = 0; j < columns; j++)
        y[out + j] = y[out + j] + a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j]
    }
    for (; k < inner; k++) {
      const factor = a[from + k]
      const b0 = atB + k * stride
      for (let j = 0; j < columns; j++) y[out + j] += factor * b[b0 + j]
    }
  }
}
