/**
 * Stores trained numbers in fewer bits: float16, bfloat16, and int8 with a scale for each column.
 *
 * int8: w ≈ q·s, with q a whole number of −127 … 127 and s the largest magnitude in the column
 * divided by 127. A column is what reaches one unit of one gate: rows would mix units of different
 * size. Biases and other vectors stay as they are; they are few, and errors in them do not cancel.
 */

import { roundBfloat16, roundHalf } from '../../bytes/numbers/half.ts'
import { inCOrder, repeatingStrides } from '../../bytes/numbers/strided.ts'
import { GruvError } from '../../errors.ts'
import type { LayerNode } from '../../model/types.ts'
import { showShape, type Tensor } from '../../tensor.ts'

export type StorageType = 'f16' | 'bf16' | 'int8'

export const storageTypes = ['f16', 'bf16', 'int8'] as const satisfies readonly StorageType[]

type Arrays = Readonly<Record<string, Tensor | null>>

const MOST = 127

/**
 * A node's arrays in the type asked for, and the scales of those that have one.
 * @param transposed whether a column of the kernels lies along their last axis, as PyTorch has it.
 */
export function storeArrays(
  node: LayerNode,
  arrays: Arrays,
  transposed: boolean,
  storage: StorageType | undefined,
): { readonly arrays: Arrays; readonly scales: Readonly<Record<string, Tensor>> } {
  // Constants are shapes and places as often as numbers.
  if (storage === undefined || node.kind === 'constant') return { arrays, scales: {} }
  const stored: Record<string, Tensor | null> = {}
  const scales: Record<string, Tensor> = {}
  for (const [part, tensor] of Object.entries(arrays)) {
    const where = `${node.name}: ${part}`
    if (tensor === null) stored[part] = null
    else if (storage !== 'int8') stored[part] = rounded(tensor, storage, where)
    else if (tensor.shape.length < 2) stored[part] = tensor
    else {
      const { values, scale } = quantised(tensor, transposed, where)
      stored[part] = values
      scales[part] = scale
    }
  }
  return { arrays: stored, scales }
}

function rounded(tensor: Tensor, storage: 'f16' | 'bf16', where: string): Tensor {
  const data = Float32Array.from(tensor.data, storage === 'f16' ? roundHalf : roundBfloat16)
  const lost = tensor.data.findIndex(
    (value, i) => Number.isFinite(value) && !Number.isFinite(data[i]),
  )
  if (lost >= 0) {
    throw new GruvError('unsupported', `a number is too large for ${storage}`, {
      where,
      got: `${tensor.data[lost]}`,
      fix: 'Store it as bf16, or leave it as it is.',
    })
  }
  return { shape: tensor.shape, data, dtype: storage === 'f16' ? 'float16' : 'bfloat16' }
}

function quantised(
  { shape, data }: Tensor,
  transposed: boolean,
  where: string,
): { readonly values: Tensor; readonly scale: Tensor } {
  const columns = transposed ? shape[0] : shape.at(-1)!
  const width = transposed ? data.length / columns : 1
  const columnOf = (i: number): number => Math.floor(i / width) % columns
  const scale = new Float32Array(columns)
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i])
    if (!(magnitude < Number.POSITIVE_INFINITY)) {
      throw new GruvError('unsupported', 'int8 holds finite numbers only', {
        where,
        got: `${data[i]}`,
      })
    }
    scale[columnOf(i)] = Math.max(scale[columnOf(i)], magnitude / MOST)
  }
  const values = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const s = scale[columnOf(i)]
    // Zero plus zero: a negative zero would not survive as an integer.
    values[i] = s === 0 ? 0 : Math.max(-MOST, Math.min(MOST, Math.round(data[i] / s))) + 0
  }
  const along = shape.map((_, axis) => (axis === (transposed ? 0 : shape.length - 1) ? columns : 1))
  return {
    values: { shape, data: values, dtype: 'int8' },
    scale: { shape: along, data: scale },
  }
}

/**
 * The product of both, rounded to float32. The scale has the axes of the array, each of its extent
 * or of 1.
 * @throws GruvError `bad-shape` when it has others.
 */
export function withScale(stored: Tensor, scale: Tensor, where: string): Tensor {
  const { shape, data } = stored
  const fits =
    scale.shape.length === shape.length &&
    scale.shape.every((extent, axis) => extent === 1 || extent === shape[axis])
  if (!fits) {
    throw new GruvError('bad-shape', 'the scale does not fit its array', {
      where,
      expected: `the extents of ${showShape(shape)}, or 1 in their place`,
      got: showShape(scale.shape),
    })
  }
  const scales = inCOrder(scale.data, shape, repeatingStrides(scale.shape, shape))
  const product = Float32Array.from(data, (value, i) => value * scales[i])
  return { shape, data: product, ...(stored.dtype && { dtype: stored.dtype }) }
}
