/** Products and arrays of the prefilter, in float64: simple loops, nothing computed twice. */

import type { Activation } from '../model/activation/activations.ts'
import { activationTable } from '../model/activation/table.ts'
import type { RecurrentNode } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { gatesOf, orderOf } from './change.ts'

/** A vector for each step. */
export type Sequence = readonly Float64Array[]

/** A layer's arrays, block by block in the order in which the source packed the gates. */
export interface Blocks {
  readonly W: readonly Float64Array[]
  readonly U: readonly Float64Array[]
  readonly bi: readonly Float64Array[] | null
  readonly br: readonly Float64Array[] | null
}

/** A tensor in float64, cached for all the models that share it; it must not be changed. */
export function wide(tensor: Tensor): Float64Array {
  if (tensor.data instanceof Float64Array) return tensor.data
  const known = widened.get(tensor)
  if (known !== undefined) return known
  const made = new Float64Array(tensor.data)
  widened.set(tensor, made)
  return made
}

const widened = new WeakMap<Tensor, Float64Array>()

/** In the order in which the source packed the gates. */
export function blocksOf(node: RecurrentNode): Blocks {
  const order = Array.from(orderOf(node))
  const take = (gates: Named<Tensor>): readonly Float64Array[] =>
    order.map((gate) => wide(gates[gate]))
  const [bi, br] = [gatesOf(node, 'inputBias'), gatesOf(node, 'recurrentBias')]
  return {
    W: take(gatesOf(node, 'kernel')),
    U: take(gatesOf(node, 'recurrentKernel')),
    bi: bi && take(bi),
    br: br && take(br),
  }
}

/** x·K for each block, side by side; a block that is not needed stays 0. */
export function project(
  blocks: readonly Float64Array[],
  x: Float64Array,
  inputs: number,
  units: number,
  without = -1,
): Float64Array {
  const sums = new Float64Array(blocks.length * units)
  blocks.forEach((block, b) => {
    if (b !== without) addProduct(sums, b * units, block, x, inputs, units)
  })
  return sums
}

/** Four rows of K at a time: memory is read in order, and each sum is stored once for four. */
export function addProduct(
  sums: Float64Array,
  offset: number,
  kernel: Float64Array,
  x: Float64Array,
  inputs: number,
  units: number,
): void {
  let i = 0
  for (; i + 4 <= inputs; i += 4) {
    const [x0, x1, x2, x3] = [x[i], x[i + 1], x[i + 2], x[i + 3]]
    const [k0, k1, k2, k3] = [i * units, (i + 1) * units, (i + 2) * units, (i + 3) * units]
    for (let u = 0; u < units; u++) {
      sums[offset + u] +=
        kernel[k0 + u] * x0 + kernel[k1 + u] * x1 + kernel[k2 + u] * x2 + kernel[k3 + u] * x3
    }
  }
  for (; i < inputs; i++) {
    const from = i * units
    for (let u = 0; u < units; u++) sums[offset + u] += kernel[from + u] * x[i]
  }
}

export function rowOf({ data, shape }: Tensor, row: number, window: number): Sequence {
  const [steps, width] = shape.length === 3 ? [shape[1], shape[2]] : [1, shape[1]]
  return Array.from({ length: Math.min(steps, window) }, (_, t) => {
    const from = (row * steps + t) * width
    return Float64Array.from(data.subarray(from, from + width))
  })
}

export function elementwise({ kind, parameters }: Activation): (a: number) => number {
  if (kind === 'softmax') return () => Number.NaN
  const { value } = activationTable[kind]
  return (a) => value(a, parameters)
}

export function softmax(a: Float64Array): Float64Array {
  const max = a.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY)
  const e = a.map((each) => Math.exp(each - max))
  const sum = e.reduce((x, y) => x + y, 0)
  return e.map((each) => each / sum)
}
