/** The chain rule through layers that work element by element, with NumPy's broadcasting. */

import type { BinaryNode, UnaryNode } from '../../model/types.ts'
import { broadcastStrides, readStrided } from '../../runtime/tensor/strides.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'

type Partials = readonly [byA: number, byB: number]
const none: Partials = [0, 0]

/** ∂y/∂a and ∂y/∂b. In a tie of `maximum` or `minimum`, a is the one chosen. */
const binarySlopes: Readonly<Record<BinaryNode['op'], (a: number, b: number) => Partials>> = {
  add: () => [1, 1],
  subtract: () => [1, -1],
  multiply: (a, b) => [b, a],
  divide: (a, b) => [1 / b, -a / (b * b)],
  power: (a, b) => [b === 0 ? 0 : b * a ** (b - 1), a === 0 ? 0 : a ** b * Math.log(a)],
  maximum: (a, b) => (a >= b ? [1, 0] : [0, 1]),
  minimum: (a, b) => (a <= b ? [1, 0] : [0, 1]),
  // a − ⌊a/b⌋·b
  modulo: (a, b) => [1, -Math.floor(a / b)],
  greater: () => none,
  greaterOrEqual: () => none,
  less: () => none,
  lessOrEqual: () => none,
  equal: () => none,
  and: () => none,
  or: () => none,
  xor: () => none,
}

const unarySlopes: Readonly<Record<UnaryNode['op'], (x: number) => number>> = {
  abs: Math.sign,
  negative: () => -1,
  reciprocal: (x) => -1 / (x * x),
  sqrt: (x) => 0.5 / Math.sqrt(x),
  exp: Math.exp,
  log: (x) => 1 / x,
  sin: Math.cos,
  cos: (x) => -Math.sin(x),
  erf: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  floor: () => 0,
  ceil: () => 0,
  round: () => 0,
  sign: () => 0,
  not: () => 0,
}

export function pullBinary(
  { op }: BinaryNode,
  { a, b }: Named<Tensor>,
  bar: Tensor,
): Named<Tensor> {
  const [p, q] = [spread(a, bar.shape), spread(b, bar.shape)]
  const slopes = binarySlopes[op]
  const [byA, byB] = [new Float64Array(p.length), new Float64Array(p.length)]
  for (let i = 0; i < p.length; i++) {
    const [slopeA, slopeB] = slopes(p[i], q[i])
    byA[i] = slopeA * bar.data[i]
    byB[i] = slopeB * bar.data[i]
  }
  return { a: collected(byA, bar.shape, a.shape), b: collected(byB, bar.shape, b.shape) }
}

export function pullUnary({ op }: UnaryNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const slope = unarySlopes[op]
  const data = Float64Array.from(x.data, (each, i) => slope(each) * bar.data[i])
  return { x: { shape: x.shape, data } }
}

/** The numbers repeated to a wider shape. */
export function spread({ shape, data }: Tensor, wide: readonly number[]): Float64Array {
  const out = new Float64Array(sizeOf(wide))
  return readStrided(Float64Array.from(data), 0, wide, broadcastStrides(shape, wide), out)
}

/** For each element of the wide shape, which one of the narrow shape it repeats. */
export function sources(shape: readonly number[], wide: readonly number[]): Float64Array {
  return spread({ shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => i) }, wide)
}

/** The derivative of a number that was repeated is the sum over its copies. */
function collected(
  values: Float64Array,
  wide: readonly number[],
  shape: readonly number[],
): Tensor {
  const data = new Float64Array(sizeOf(shape))
  sources(shape, wide).forEach((source, i) => {
    data[source] += values[i]
  })
  return { shape, data }
}
