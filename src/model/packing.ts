/** Arrays per gate put together again, and packed ones taken apart by rows. Numbers are moved, never changed. */

import { dtypeOf, type Named, type Tensor } from '../tensor.ts'
import { emptyLike } from './canonicalize.ts'
import type { GateOrder, LstmGateOrder } from './conventions.ts'
import type { PerGate, PerLstmGate } from './types.ts'

/** The inverse of `splitGates`: the arrays per gate side by side in the order given. */
export function joinGates(gates: PerGate<Tensor>, order: GateOrder): Tensor
export function joinGates(gates: PerLstmGate<Tensor>, order: LstmGateOrder): Tensor
export function joinGates(gates: object, order: string): Tensor {
  const blocks = [...order].map((gate) => (gates as Named<Tensor>)[gate])
  const [first] = blocks
  const units = first.shape.at(-1)!
  const rows = first.shape.length === 1 ? 1 : first.shape[0]
  const width = blocks.length * units
  const data = emptyLike(first, rows * width)
  for (let i = 0; i < rows; i++) {
    blocks.forEach((block, at) => {
      data.set(block.data.subarray(i * units, (i + 1) * units), i * width + at * units)
    })
  }
  return { shape: first.shape.length === 1 ? [width] : [rows, width], data, dtype: dtypeOf(first) }
}

/** Rows `from` to `to` of a tensor's first axis; a single row loses that axis when `squeeze` is set. */
export function sliceRows(tensor: Tensor, from: number, to: number, squeeze = false): Tensor {
  const row = tensor.data.length / tensor.shape[0]
  const shape = squeeze ? tensor.shape.slice(1) : [to - from, ...tensor.shape.slice(1)]
  return { shape, data: tensor.data.slice(from * row, to * row), dtype: dtypeOf(tensor) }
}
