/** Ways in which files and devices round trained numbers. */

import { decodeHalf, encodeHalf } from '../bytes/numbers/half.ts'
import type { Tensor } from '../tensor.ts'

/** A function of an array, and which numbers make one array: those of a gate, or of all gates. */
export interface Rounding {
  readonly round: (tensor: Tensor) => Tensor
  readonly over: 'gate' | 'array'
}

export const toFloat16: Rounding = {
  round: each((value) => decodeHalf(encodeHalf(value))),
  over: 'gate',
}

const fixedPoints = new Map<string, Rounding>()

/** Whole multiples of 2^−bits. */
export function toFixedPoint(bits: string): Rounding {
  const known = fixedPoints.get(bits)
  if (known !== undefined) return known
  const step = 2 ** -Number(bits)
  const made: Rounding = { round: each((value) => Math.round(value / step) * step), over: 'gate' }
  fixedPoints.set(bits, made)
  return made
}

/** 8-bit numbers with a scale for each `array`, each `gate` or each `unit`: ±127 is the largest. */
export const int8Rounding = {
  array: { round: (tensor) => scaledTo127(tensor, tensor.data.length, 1), over: 'array' },
  gate: { round: (tensor) => scaledTo127(tensor, tensor.data.length, 1), over: 'gate' },
  unit: {
    round: (tensor) => scaledTo127(tensor, tensor.shape[0], tensor.shape[1] ?? 1),
    over: 'gate',
  },
} as const satisfies Readonly<Record<string, Rounding>>

/** Columns of `count` numbers that lie `stride` apart, each with its own scale. */
function scaledTo127({ shape, data }: Tensor, count: number, stride: number): Tensor {
  const result = new Float64Array(data.length)
  // A vector of biases has one scale: a scale for each of its numbers would round nothing.
  const columns = shape.length === 1 ? 1 : stride
  for (let column = 0; column < columns; column++) {
    let largest = 0
    for (let i = 0; i < count; i++)
      largest = Math.max(largest, Math.abs(data[i * columns + column]))
    const scale = largest / 127 || 1
    for (let i = 0; i < count; i++) {
      const at = i * columns + column
      result[at] = Math.round(data[at] / scale) * scale
    }
  }
  return { shape, data: result }
}

function each(round: (value: number) => number): (tensor: Tensor) => Tensor {
  return ({ shape, data }) => {
    const result = new Float64Array(data)
    for (let i = 0; i < result.length; i++) result[i] = round(result[i])
    return { shape, data: result }
  }
}

const known = new WeakMap<Tensor, Map<Rounding['round'], Tensor>>()

/** A rounded tensor, cached: the models of a search share most of their tensors. */
export function rounded(tensor: Tensor, round: Rounding['round']): Tensor {
  let results = known.get(tensor)
  if (results === undefined) {
    results = new Map()
    known.set(tensor, results)
  }
  const before = results.get(round)
  if (before !== undefined) return before
  const made = round(tensor)
  results.set(round, made)
  return made
}
