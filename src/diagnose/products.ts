/** Products and arrays of the prefilter, in float64: simple loops, nothing computed twice. */

import type { Activation } from '../model/activation/activations.ts'
import { activationTable } from '../model/activation/table.ts'
import type { GruNode, PerGate } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import { gateOrderOf } from './change.ts'

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
export function blocksOf(node: GruNode): Blocks {
  const order = gateOrderOf(node)
  const take = (array: PerGate<Tensor>): readonly Float64Array[] =>
    Array.from(order, (gate) => wide(array[gate as keyof PerGate<unknown>]))
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  return {
    W: take(kernel),
    U: take(recurrentKernel),
    bi: inputBias && take(inputBias),
    br: recurrentBias && take(recurrentBias),
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

/** Row by row of K, so that memory is read in order. */
export function addProduct(
  sums: Float64Array,
  offset: number,
  kernel: Float64Array,
  x: Float64Array,
  inputs: number,
  units: number,
): void {
  for (let i = 0; i < inputs; i++) {
    const xi = x[i]
    const from = i * units
    for (let u = 0; u < units; u++) sums[offset + u] += kernel[from + u] * xi
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
