/** From packed arrays to one array per gate. Numbers are moved, never changed. */

import { type DType, dtypeOf, type Tensor } from '../tensor.ts'
import type { GateOrder } from './conventions.ts'
import type { PerGate } from './types.ts'

/**
 * Takes a packed array apart: its last axis holds three blocks of `units`, in the order given.
 * [rows, 3·units] → three of [rows, units]; [3·units] → three of [units].
 */
export function splitGates(packed: Tensor, order: GateOrder): PerGate<Tensor> {
  const width = packed.shape.at(-1)!
  const units = width / 3
  const rows = packed.shape.length === 1 ? 1 : packed.shape[0]
  const block = (index: number): Tensor => {
    const data = emptyLike(packed, rows * units)
    for (let i = 0; i < rows; i++) {
      const from = i * width + index * units
      data.set(packed.data.subarray(from, from + units), i * units)
    }
    const shape = packed.shape.length === 1 ? [units] : [rows, units]
    return { shape, data, dtype: dtypeOf(packed) }
  }
  return {
    z: block(order.indexOf('z')),
    r: block(order.indexOf('r')),
    n: block(order.indexOf('n')),
  }
}

/** The inverse of `splitGates`: three arrays per gate side by side in the order given. */
export function joinGates(gates: PerGate<Tensor>, order: GateOrder): Tensor {
  const blocks = [...order].map((gate) => gates[gate as keyof PerGate<unknown>])
  const units = gates.z.shape.at(-1)!
  const rows = gates.z.shape.length === 1 ? 1 : gates.z.shape[0]
  const data = emptyLike(gates.z, rows * units * 3)
  for (let i = 0; i < rows; i++) {
    blocks.forEach((block, at) => {
      data.set(block.data.subarray(i * units, (i + 1) * units), (i * 3 + at) * units)
    })
  }
  const shape = gates.z.shape.length === 1 ? [3 * units] : [rows, 3 * units]
  return { shape, data, dtype: dtypeOf(gates.z) }
}

/** [rows, columns] → [columns, rows]. */
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

/** The storage types of a node's arrays, each once: `float32`, or `float16, float32`. */
export function storageTypes(tensors: readonly Tensor[]): readonly DType[] {
  return [...new Set(tensors.map(dtypeOf))]
}

function emptyLike(tensor: Tensor, length: number): Float32Array | Float64Array {
  return tensor.data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
}
