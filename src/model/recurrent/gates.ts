/** Splits packed arrays by gate, and joins them again. Numbers are moved, never changed. */

import { dtypeOf, type Named, type Tensor } from '../../tensor.ts'
import { emptyLike } from '../axes.ts'
import type { GateOrder, LstmGateOrder, PeepholeOrder } from '../conventions/conventions.ts'
import type { LstmPeephole, PerGate, PerLstmGate } from '../types.ts'

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

/** The inverse of `splitGates`: the arrays per gate side by side in the order given. */
export function joinGates(gates: PerGate<Tensor>, order: GateOrder): Tensor
export function joinGates(gates: PerLstmGate<Tensor>, order: LstmGateOrder): Tensor
export function joinGates(gates: LstmPeephole<Tensor>, order: PeepholeOrder): Tensor
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
