/** Layers that make one number of many: reductions, and softmax along any axis. */

import type { ReduceNode, SoftmaxNode } from '../../model/types.ts'
import { type Named, sizeOf } from '../../tensor.ts'
import { exp64, log64 } from '../js/math64.ts'
import { type Block, readStrided, stridesOf, zeros } from './strides.ts'

/** Of `count` numbers from `at` on, in order. */
type Reduction = (x: Float64Array, at: number, count: number) => number

const reductions: Readonly<Record<ReduceNode['op'], Reduction>> = {
  sum,
  mean: (x, at, count) => sum(x, at, count) / count,
  max: largest,
  min(x, at, count) {
    let y = Infinity
    for (let i = at; i < at + count; i++) y = Math.min(y, x[i])
    return y
  },
  product(x, at, count) {
    let y = 1
    for (let i = at; i < at + count; i++) y *= x[i]
    return y
  },
  l1(x, at, count) {
    let y = 0
    for (let i = at; i < at + count; i++) y += Math.abs(x[i])
    return y
  },
  l2: (x, at, count) => Math.sqrt(sumSquare(x, at, count)),
  sumSquare,
  logSumExp(x, at, count) {
    const max = largest(x, at, count)
    // Where the largest is infinite, nothing can be taken off it.
    const m = Number.isFinite(max) ? max : 0
    let y = 0
    for (let i = at; i < at + count; i++) y += exp64(x[i] - m)
    return log64(y) + m
  },
}

function sum(x: Float64Array, at: number, count: number): number {
  let y = 0
  for (let i = at; i < at + count; i++) y += x[i]
  return y
}

function sumSquare(x: Float64Array, at: number, count: number): number {
  let y = 0
  for (let i = at; i < at + count; i++) y += x[i] * x[i]
  return y
}

/** −∞ of none; NaN where there is one. */
function largest(x: Float64Array, at: number, count: number): number {
  let y = -Infinity
  for (let i = at; i < at + count; i++) y = Math.max(y, x[i])
  return y
}

export function reduce(node: ReduceNode, { x }: Named<Block>, shape: readonly number[]) {
  const axes = x.shape.map((_, axis) => axis)
  const kept = axes.filter((axis) => !node.axes.includes(axis))
  const gone = axes.filter((axis) => node.axes.includes(axis))
  const order = [...kept, ...gone]
  const strides = stridesOf(x.shape)
  // What becomes one number lies together, in its own order.
  const arranged =
    gone.length === 0 || order.every((axis, i) => axis === i)
      ? x.data
      : readStrided(
          x.data,
          0,
          order.map((axis) => x.shape[axis]),
          order.map((axis) => strides[axis]),
          new Float64Array(x.data.length),
        )
  const count = sizeOf(gone.map((axis) => x.shape[axis]))
  const op = reductions[node.op]
  const y = zeros(node.name, shape)
  for (let i = 0; i < y.length; i++) y[i] = op(arranged, i * count, count)
  return y
}

/** e^(x − max) / Σ e^(x − max), or its logarithm x − max − log Σ e^(x − max). */
export function softmax(node: SoftmaxNode, { x }: Named<Block>): Float64Array {
  const y = x.data.slice()
  const count = x.shape[node.axis]
  const stride = sizeOf(x.shape.slice(node.axis + 1))
  const block = count * stride
  for (let outer = 0; outer < y.length; outer += block)
    for (let at = outer; at < outer + stride; at++) softmaxAt(y, at, count, stride, node.log)
  return y
}

/** In place, on `count` numbers from `at` on. */
export function softmaxAt(
  y: Float64Array,
  at: number,
  count: number,
  stride: number,
  log: boolean,
): void {
  const end = at + count * stride
  let max = -Infinity
  for (let i = at; i < end; i += stride) if (y[i] > max) max = y[i]
  let total = 0
  for (let i = at; i < end; i += stride) {
    const e = exp64(y[i] - max)
    total += e
    y[i] = log ? y[i] - max : e
  }
  const logTotal = log64(total)
  for (let i = at; i < end; i += stride) y[i] = log ? y[i] - logTotal : y[i] / total
}
