/** The chain rule through matrix products. */

import { broadcastStrides, offsetsOf } from '../../runtime/tensor/strides.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'

/**
 * ā = ȳ·bᵀ, b̄ = aᵀ·ȳ, summed where a matrix was broadcast. To be read beside
 * `runtime/tensor/matmul.ts`.
 */
export function pullMatmul(_: unknown, { a, b }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  const [rows, inner] = left.slice(-2)
  const columns = right[right.length - 1]
  const missing = (a.shape.length === 1 ? 1 : 0) + (b.shape.length === 1 ? 1 : 0)
  const leading = bar.shape.slice(0, bar.shape.length - 2 + missing)
  const matrices = (outer: readonly number[], size: number): number[] =>
    offsetsOf(
      leading,
      broadcastStrides(outer, leading).map((stride) => stride * size),
    )
  const fromA = matrices(left.slice(0, -2), rows * inner)
  const fromB = matrices(right.slice(0, -2), inner * columns)
  const [byA, byB] = [new Float64Array(sizeOf(a.shape)), new Float64Array(sizeOf(b.shape))]
  for (let i = 0; i < fromA.length; i++)
    addBack(
      a.data.subarray(fromA[i], fromA[i] + rows * inner),
      b.data.subarray(fromB[i], fromB[i] + inner * columns),
      bar.data.subarray(i * rows * columns, (i + 1) * rows * columns),
      { rows, inner, columns },
      byA.subarray(fromA[i], fromA[i] + rows * inner),
      byB.subarray(fromB[i], fromB[i] + inner * columns),
    )
  return { a: { shape: a.shape, data: byA }, b: { shape: b.shape, data: byB } }
}

type Numbers = Float32Array | Float64Array

/** Adds to the derivatives with respect to a [rows, inner] and b [inner, columns]. */
function addBack(
  a: Numbers,
  b: Numbers,
  bar: Numbers,
  { rows, inner, columns }: Readonly<Record<'rows' | 'inner' | 'columns', number>>,
  byA: Float64Array,
  byB: Float64Array,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const each = bar[r * columns + c]
      // Where the derivative is 0, so are all before it.
      if (each === 0) continue
      for (let k = 0; k < inner; k++) {
        byA[r * inner + k] += each * b[k * columns + c]
        byB[k * columns + c] += each * a[r * inner + k]
      }
    }
  }
}
