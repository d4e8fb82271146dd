/**
 * The chain rule through layers without a state, backwards: from the derivatives by a layer's
 * output (`bar`) to those by its inputs. Read it beside `runtime/reference/layers.ts`.
 */

import { permuteAxes } from '../../model/axes.ts'
import { samePadding } from '../../model/dims.ts'
import type {
  Conv1dNode,
  DenseNode,
  LayerKind,
  LayerNode,
  MergeNode,
  NodeOf,
  RecurrentNode,
} from '../../model/types.ts'
import { affine, type Vector, vectorsOf } from '../../runtime/reference/vectors.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { pullAttention, pullMultiHeadAttention } from './attention.ts'
import { pullBinary, pullUnary } from './elementwise.ts'
import { pullMovement } from './movement.ts'
import { pullMatmul } from './products.ts'
import { pullReduce, pullSoftmax } from './reduce.ts'
import { pullActivation, pullVectors } from './vectors.ts'
import { pullConv, pullConvTranspose, pullPool } from './windows.ts'

/** @param bar derivatives by the port `y`. @param bars by every port that has some. */
type Pull<N> = (node: N, inputs: Named<Tensor>, bar: Tensor, bars: Named<Tensor>) => Named<Tensor>

/** Looked up, or there already; and what has a state (`recurrent.ts`). */
type Without = RecurrentNode['kind'] | 'embedding' | 'constant'

const pulls: { readonly [K in Exclude<LayerKind, Without>]: Pull<NodeOf<K>> } = {
  dense: pullDense,
  activation: ({ activation }, { x }, bar) => ({
    x: pullVectors(x, bar, (v, b) => pullActivation(activation, v, b)),
  }),
  prelu: ({ weights: { alpha } }, { x }, bar) => ({
    x: pullVectors(x, bar, (v, b) => v.map((a, u) => (a < 0 ? at(alpha, u) * b[u] : b[u]))),
  }),
  affine: ({ weights: { scale } }, { x }, bar) => ({
    x: pullVectors(x, bar, (_, b) => b.map((each, u) => each * at(scale, u))),
  }),
  masking: ({ value }, { x }, bar) => ({
    x: pullVectors(x, bar, (v, b) => (v.some((a) => a !== value) ? b : b.map(() => 0))),
  }),
  batchNorm: ({ weights: { gamma, variance }, epsilon }, { x }, bar) => ({
    x: pullVectors(x, bar, (_, b) =>
      b.map((each, u) => (each * at(gamma, u)) / Math.sqrt(variance.data[u] + epsilon)),
    ),
  }),
  layerNorm: ({ weights: { gamma }, epsilon, axes }, { x }, bar) => ({
    x: pullVectors(
      x,
      bar,
      (v, b) => {
        const mean = average(v)
        const deviation = Math.sqrt(average(v.map((a) => (a - mean) ** 2)) + epsilon)
        const normal = v.map((a) => (a - mean) / deviation)
        const scaled = b.map((each, u) => each * at(gamma, u))
        const shift = average(scaled)
        const tilt = average(scaled.map((each, u) => each * normal[u]))
        return scaled.map((each, u) => (each - shift - normal[u] * tilt) / deviation)
      },
      axes,
    ),
  }),
  conv1d: pullConv1d,
  merge: pullMerge,
  reverse: (_, { x }, bar) => {
    const [rows, steps] = x.shape
    const width = sizeOf(x.shape.slice(2))
    const data = new Float64Array(bar.data.length)
    for (let i = 0; i < rows * steps; i++) {
      const from = (Math.floor(i / steps) * steps + (steps - 1 - (i % steps))) * width
      data.set(bar.data.subarray(from, from + width), i * width)
    }
    return { x: { shape: x.shape, data } }
  },
  reshape: (_, { x }, bar) => ({ x: { shape: x.shape, data: bar.data } }),
  transpose: ({ axes }, _, bar) => ({
    x: permuteAxes(
      bar,
      axes.map((_, axis) => axes.indexOf(axis)),
    ),
  }),
  expand: pullMovement,
  slice: pullMovement,
  concat: pullMovement,
  pad: pullMovement,
  gather: pullMovement,
  where: pullMovement,
  binary: pullBinary,
  unary: pullUnary,
  reduce: pullReduce,
  softmax: pullSoftmax,
  matmul: pullMatmul,
  conv: pullConv,
  convTranspose: pullConvTranspose,
  pool: pullPool,
  attention: (node, inputs, _, bars) => pullAttention(node, inputs, bars),
  multiHeadAttention: (node, inputs, _, bars) => pullMultiHeadAttention(node, inputs, bars),
}

/** @param bars derivatives by the ports that leave. @returns derivatives by each input port. */
export function pullLayer(
  node: LayerNode,
  inputs: Named<Tensor>,
  bars: Named<Tensor>,
): Named<Tensor> {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const pull = pulls[node.kind as Exclude<LayerKind, Without>] as Pull<LayerNode>
  return pull(node, inputs, bars.y, bars)
}

/** y = φ(x·K + b) */
function pullDense(node: DenseNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { kernel, bias } = node.weights
  return {
    x: pullVectors(x, bar, (v, b) => {
      const a = pullActivation(node.activation, affine(v, kernel, bias), b)
      return v.map((_, i) => {
        let sum = 0
        for (let u = 0; u < node.units; u++) sum += kernel.data[i * node.units + u] * a[u]
        return sum
      })
    }),
  }
}

/** y_t = φ(b + Σ_k x_{t·stride + k·dilation − before} · K_k) */
function pullConv1d(node: Conv1dNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { features, units, size, stride, dilation, groups, activation } = node
  const { kernel, bias } = node.weights
  const [rows, steps] = x.shape
  const [, count] = bar.shape
  const before = node.padding === 'same' ? samePadding(steps, node).before : node.padding.before
  const [perGroup, unitsPerGroup] = [features / groups, units / groups]
  const data = new Float64Array(x.data.length)
  const bars = vectorsOf(bar, units)
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < count; t++) {
      /** Calls back for every weight of unit u that sees a step of the sequence. */
      const seen = (u: number, visit: (at: number, weight: number) => void): void => {
        const first = Math.floor(u / unitsPerGroup) * perGroup
        for (let k = 0; k < size; k++) {
          const from = t * stride + k * dilation - before
          if (from < 0 || from >= steps) continue
          for (let c = 0; c < perGroup; c++)
            visit(
              (row * steps + from) * features + first + c,
              kernel.data[(k * perGroup + c) * units + u],
            )
        }
      }
      const sums = Array.from({ length: units }, (_, u) => {
        let sum = bias?.data[u] ?? 0
        seen(u, (i, weight) => {
          sum += weight * x.data[i]
        })
        return sum
      })
      pullActivation(activation, sums, bars[row * count + t]).forEach((b, u) => {
        seen(u, (i, weight) => {
          data[i] += weight * b
        })
      })
    }
  }
  return { x: { shape: x.shape, data } }
}

/** Element by element, or side by side. Where several are the largest or smallest, the first counts. */
function pullMerge({ mode }: MergeNode, inputs: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const entries = Object.entries(inputs)
  const tensors = entries.map(([, tensor]) => tensor)
  if (mode === 'concatenate') {
    const bars = vectorsOf(bar, bar.shape.at(-1)!)
    let from = 0
    return Object.fromEntries(
      entries.map(([port, { shape }]) => {
        const [begin, end] = [from, from + shape.at(-1)!]
        from = end
        return [port, { shape, data: Float64Array.from(bars.flatMap((b) => b.slice(begin, end))) }]
      }),
    )
  }
  const share = shares[mode]
  return Object.fromEntries(
    entries.map(([port, { shape, data }], i) => [
      port,
      {
        shape,
        data: Float64Array.from(data, (_, j) => {
          const values = tensors.map((tensor) => tensor.data[j])
          return bar.data[j] * share(values, i)
        }),
      },
    ]),
  )
}

/** The derivative of a merged number by its i-th part. */
const shares: Readonly<
  Record<Exclude<MergeNode['mode'], 'concatenate'>, (values: Vector, i: number) => number>
> = {
  add: () => 1,
  subtract: (_, i) => (i === 0 ? 1 : -1),
  multiply: (values, i) =>
    values.reduce((product, each, j) => (j === i ? product : product * each), 1),
  divide: ([a, b], i) => (i === 0 ? 1 / b : -a / (b * b)),
  average: (values) => 1 / values.length,
  maximum: (values, i) => Number(values.indexOf(Math.max(...values)) === i),
  minimum: (values, i) => Number(values.indexOf(Math.min(...values)) === i),
}

/** Number u, where one may stand for all, and none for 1. */
function at(tensor: Tensor | null, u: number): number {
  if (tensor === null) return 1
  return tensor.data[tensor.data.length === 1 ? 0 : u]
}

function average(v: Vector): number {
  return v.reduce((sum, each) => sum + each, 0) / v.length
}
