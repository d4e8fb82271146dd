/** Vectors as plain arrays of float64, in which the oracle computes, and tensors of them. */

import { type Activation, isElementwise } from '../../model/activation/activations.ts'
import { activationValues } from '../../model/activation/values.ts'
import { sizeOf, type Tensor } from '../../tensor.ts'

export type Vector = readonly number[]

/** The vectors along a tensor's last axis (or last axes) in order, and back. */
export function mapVectors(x: Tensor, f: (vector: Vector) => Vector, axes = 1): Tensor {
  const width = sizeOf(x.shape.slice(x.shape.length - axes))
  const results = vectorsOf(x, width).map(f)
  const kept = x.shape.slice(0, x.shape.length - axes)
  const shape = axes === 1 ? [...kept, results[0]?.length ?? width] : x.shape
  return { shape, data: Float64Array.from(results.flat()) }
}

export function vectorsOf({ data }: Tensor, width: number): readonly Vector[] {
  return Array.from({ length: width === 0 ? 0 : data.length / width }, (_, i) =>
    Array.from(data.subarray(i * width, (i + 1) * width)),
  )
}

/** [rows, steps, features] as arrays of arrays of vectors. */
export function sequencesOf(x: Tensor): readonly (readonly Vector[])[] {
  const [rows, steps, width] = x.shape
  const vectors = vectorsOf(x, width)
  return Array.from({ length: rows }, (_, row) => vectors.slice(row * steps, (row + 1) * steps))
}

/** Vectors side by side as a tensor of that shape. */
export function tensorOf(shape: readonly number[], vectors: readonly Vector[]): Tensor {
  return { shape, data: Float64Array.from(vectors.flat()) }
}

export function zeros(length: number): number[] {
  return new Array<number>(length).fill(0)
}

export function zip(a: Vector, b: Vector, f: (a: number, b: number) => number): number[] {
  return a.map((each, i) => f(each, b[i]))
}

/** x·K + b, for one vector; K is [inputs, units]. */
export function affine(
  x: Vector,
  { data, shape }: Tensor,
  bias: Tensor | null | undefined,
): number[] {
  const units = shape[1]
  return Array.from({ length: units }, (_, u) => {
    let sum = bias?.data[u] ?? 0
    for (let i = 0; i < x.length; i++) sum += data[i * units + u] * x[i]
    return sum
  })
}

/** a, limited to ±limit where there is one; NaN stays NaN. */
export function clip(a: number, limit: number | null): number {
  if (limit === null) return a
  return a > limit ? limit : a < -limit ? -limit : a
}

export function apply(activation: Activation, a: Vector): number[] {
  if (!isElementwise(activation)) return softmax(a)
  const value: (a: number, p: readonly number[]) => number = activationValues[activation.kind]
  return a.map((each) => value(each, activation.parameters))
}

/** e^(a − max a), divided by their sum. */
function softmax(a: Vector): number[] {
  // A vocabulary has more entries than a call can have arguments.
  const max = a.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY)
  const e = a.map((each) => Math.exp(each - max))
  const sum = e.reduce((total, each) => total + each, 0)
  return e.map((each) => each / sum)
}
