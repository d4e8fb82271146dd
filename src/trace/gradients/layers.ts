/**
 * The chain rule backwards through layers without a state: from the derivatives with respect to a
 * layer's output (`bar`) to those with respect to its inputs. To be read beside
 * `runtime/reference/layers.ts`.
 */

import { permuteAxes } from '../../model/axes.ts'
import type {
  DenseNode,
  LayerKind,
  LayerNode,
  MergeNode,
  NodeOf,
  RecurrentNode,
} from '../../model/types.ts'
import { affine, type Vector, vectorsOf } from '../../runtime/reference/vectors.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { pullAttention, pullMultiHeadAttention } from './attention.ts'
import { pullBinary, pullUnary } from './elementwise.ts'
import { forward } from './forward.ts'
import { pullMovement } from './movement.ts'
import { pullMatmul } from './products.ts'
import { pullReduce, pullSoftmax } from './reduce.ts'
import { pullActivation, pullVectors } from './vectors.ts'
import { pullConv, pullConv1d, pullConvTranspose, pullPool } from './windows.ts'

/**
 * @param bar derivatives with respect to the port `y`.
 * @param bars derivatives with respect to every port that has some.
 */
type Pull<N> = (node: N, inputs: Named<Tensor>, bar: Tensor, bars: Named<Tensor>) => Named<Tensor>

/** Kinds without a derivative, and those with a state (`recurrent.ts`). */
type Without = RecurrentNode['kind'] | 'embedding' | 'constant' | 'range'

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
  reverse: (node, _, bar) => ({ x: forward(node, { x: bar }).y }),
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

/**
 * @param bars derivatives with respect to the output ports.
 * @returns derivatives with respect to each input port.
 */
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

/** Element by element, or concatenated. In a tie of `maximum` or `minimum`, the first is chosen. */
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

/** The derivative of a merged number with respect to its i-th part. */
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

/** Number u; a single number applies to all units, and null is 1. */
function at(tensor: Tensor | null, u: number): number {
  if (tensor === null) return 1
  return tensor.data[tensor.data.length === 1 ? 0 : u]
}

function average(v: Vector): number {
  return v.reduce((sum, each) => sum + each, 0) / v.length
}
