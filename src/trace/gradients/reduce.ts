/** The chain rule through reductions, and through softmax along any axis. */

import type { ReduceNode, SoftmaxNode } from '../../model/types.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { sources, spread } from './elementwise.ts'
import { forward } from './forward.ts'

/** ∂y/∂x, where y is the reduction of several numbers and x is one of them. */
type Slope = (x: number, y: number, count: number) => number

const slopes: Readonly<Record<Exclude<ReduceNode['op'], 'max' | 'min' | 'product'>, Slope>> = {
  sum: () => 1,
  mean: (_, __, count) => 1 / count,
  l1: Math.sign,
  l2: (x, y) => (y === 0 ? 0 : x / y),
  sumSquare: (x) => 2 * x,
  logSumExp: (x, y) => Math.exp(x - y),
}

export function pullReduce(node: ReduceNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { y } = forward({ ...node, keepAxes: true }, { x })
  const [result, bars] = [spread(y, x.shape), spread({ ...y, data: bar.data }, x.shape)]
  const { op } = node
  const slope =
    op === 'max' || op === 'min' || op === 'product'
      ? null
      : (i: number) => slopes[op](x.data[i], result[i], sizeOf(x.shape) / sizeOf(y.shape))
  const chosen = slope ?? (op === 'product' ? ofOthers(x, y.shape) : firstOf(x, y.shape, result))
  const data = Float64Array.from(x.data, (_, i) => chosen(i) * bars[i])
  return { x: { shape: x.shape, data } }
}

/** 1 for the first number that equals the result, 0 for all others. */
function firstOf(x: Tensor, shape: readonly number[], result: Float64Array) {
  const firsts = new Map<number, number>()
  sources(shape, x.shape).forEach((group, i) => {
    if (x.data[i] === result[i] && !firsts.has(group)) firsts.set(group, i)
  })
  const chosen = new Set(firsts.values())
  return (i: number): number => Number(chosen.has(i))
}

/** The product of the other numbers, without dividing by a number that is 0. */
function ofOthers(x: Tensor, shape: readonly number[]) {
  const groups = sources(shape, x.shape)
  const zeros = new Float64Array(sizeOf(shape))
  const products = new Float64Array(sizeOf(shape)).fill(1)
  groups.forEach((group, i) => {
    if (x.data[i] === 0) zeros[group]++
    else products[group] *= x.data[i]
  })
  return (i: number): number => {
    const others = zeros[groups[i]] - Number(x.data[i] === 0)
    if (others > 0) return 0
    return x.data[i] === 0 ? products[groups[i]] : products[groups[i]] / x.data[i]
  }
}

/** y ⊙ (b − Σ b·y) along the axis; for the logarithm of softmax b − e^y·Σ b. */
export function pullSoftmax(node: SoftmaxNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { y } = forward(node, { x })
  const groups = sources(
    x.shape.map((extent, axis) => (axis === node.axis ? 1 : extent)),
    x.shape,
  )
  const sums = new Float64Array(groups.length)
  groups.forEach((group, i) => {
    sums[group] += node.log ? bar.data[i] : bar.data[i] * y.data[i]
  })
  const data = Float64Array.from(y.data, (each, i) => {
    const sum = sums[groups[i]]
    return node.log ? bar.data[i] - Math.exp(each) * sum : each * (bar.data[i] - sum)
  })
  return { x: { shape: x.shape, data } }
}
