/**
 * The chain rule through layers without a state, backwards: from the derivatives by a layer's
 * output (`bar`) to those by its inputs. Read it beside `runtime/reference/layers.ts`.
 */

import { type Activation, isElementwise } from '../../model/activations.ts'
import { samePadding } from '../../model/dims.ts'
import type {
  Conv1dNode,
  DenseNode,
  LayerKind,
  LayerNode,
  MergeNode,
  NodeOf,
} from '../../model/types.ts'
import { affine, apply, type Vector, vectorsOf } from '../../runtime/reference/vectors.ts'
import { type Named, permuteAxes, sizeOf, type Tensor } from '../../tensor.ts'
import { slopeOf } from '../slopes.ts'

type Pull<N> = (node: N, inputs: Named<Tensor>, bar: Tensor) => Named<Tensor>

/** What has no entry has no derivative, or none that is known here. */
const pulls: { readonly [K in LayerKind]?: Pull<NodeOf<K>> } = {
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
}

export function hasPull({ kind }: LayerNode): boolean {
  return Object.hasOwn(pulls, kind)
}

/** @param bar derivatives by the port `y`. @returns derivatives by each input port. */
export function pullLayer(node: LayerNode, inputs: Named<Tensor>, bar: Tensor): Named<Tensor> {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const pull = pulls[node.kind] as Pull<LayerNode>
  return pull(node, inputs, bar)
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

/** From φ(a) back to a; softmax: y ⊙ (b − Σ b·y). */
function pullActivation(activation: Activation, a: Vector, bar: Vector): Vector {
  if (isElementwise(activation)) {
    const slope = slopeOf(activation)
    return a.map((each, u) => slope(each) * bar[u])
  }
  const y = apply(activation, a)
  const mean = y.reduce((sum, each, u) => sum + each * bar[u], 0)
  return y.map((each, u) => each * (bar[u] - mean))
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

/** Vector by vector along the last axis (or last axes) of x and of the derivatives that belong to it. */
function pullVectors(
  x: Tensor,
  bar: Tensor,
  pull: (vector: Vector, bar: Vector) => Vector,
  axes = 1,
): Tensor {
  const width = sizeOf(x.shape.slice(x.shape.length - axes))
  const barWidth = sizeOf(bar.shape.slice(bar.shape.length - axes))
  const vectors = vectorsOf(x, width)
  const data = new Float64Array(x.data.length)
  vectorsOf(bar, barWidth).forEach((b, i) => {
    // Where nothing is asked for, nothing depends on anything.
    if (b.some((each) => each !== 0)) data.set(pull(vectors[i], b), i * width)
  })
  return { shape: x.shape, data }
}

/** Number u, where one may stand for all, and none for 1. */
function at(tensor: Tensor | null, u: number): number {
  if (tensor === null) return 1
  return tensor.data[tensor.data.length === 1 ? 0 : u]
}

function average(v: Vector): number {
  return v.reduce((sum, each) => sum + each, 0) / v.length
}
