/** From packed arrays to one array per gate. Numbers are moved, never changed. */

import { dtypeOf, type Tensor } from '../tensor.ts'
import type { GateOrder, LstmGateOrder, PeepholeOrder } from './conventions.ts'
import type { LstmPeephole, PerGate, PerLstmGate } from './types.ts'

/**
 * Takes a packed array apart: its last axis holds one block of `units` for each gate, in the order
 * given. [rows, 3·units] → three of [rows, units]; [3·units] → three of [units].
 */
export function splitGates(packed: Tensor, order: GateOrder): PerGate<Tensor>
export function splitGates(packed: Tensor, order: LstmGateOrder): PerLstmGate<Tensor>
export function splitGates(packed: Tensor, order: PeepholeOrder): LstmPeephole<Tensor>
export function splitGates(packed: Tensor, order: string): object {
  const width = packed.shape.at(-1)!
  const units = width / order.length
  const rows = packed.shape.length === 1 ? 1 : packed.shape[0]
  const shape = packed.shape.length === 1 ? [units] : [rows, units]
  const block = (index: number): Tensor => {
    const data = emptyLike(packed, rows * units)
    for (let i = 0; i < rows; i++) {
      const from = i * width + index * units
      data.set(packed.data.subarray(from, from + units), i * units)
    }
    return { shape, data, dtype: dtypeOf(packed) }
  }
  return Object.fromEntries([...order].map((gate, index) => [gate, block(index)]))
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

/** Zeros, in the precision of a tensor. */
export function emptyLike(tensor: Tensor, length: number): Float32Array | Float64Array {
  return tensor.data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
}
