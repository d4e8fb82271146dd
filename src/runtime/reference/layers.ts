/**
 * The oracle's table: every layer on whole tensors, in float64. Layers that have no kernel in the
 * engines (`runtime/tensor/`) are the same code here and there; everything else is written twice,
 * once for speed and once to be compared with.
 */

import { GruvError } from '../../errors.ts'
import { samePadding, windows } from '../../model/shapes/dims.ts'
import type {
  Conv1dNode,
  DenseNode,
  EmbeddingNode,
  MaskingNode,
  MergeNode,
  NodeOf,
  TensorNode,
  VectorNode,
} from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { runTensorLayer, type TensorContext } from '../tensor/index.ts'
import { affine, apply, mapVectors, sequencesOf, tensorOf, vectorsOf, zip } from './vectors.ts'

type VectorTable = {
  readonly [K in VectorNode['kind']]: (node: NodeOf<K>, inputs: Named<Tensor>) => Named<Tensor>
}

const vectorLayers: VectorTable = {
  dense: denseLayer,
  prelu: ({ weights: { alpha } }, { x }) => ({
    y: mapVectors(x, (v) => v.map((a, u) => (a < 0 ? at(alpha, u, 1) * a : a))),
  }),
  affine: ({ weights: { scale, shift } }, { x }) => ({
    y: mapVectors(x, (v) => v.map((a, u) => a * at(scale, u, 1) + at(shift, u, 0))),
  }),
  embedding: embeddingLayer,
  masking: maskingLayer,
  batchNorm: ({ weights: { gamma, beta, mean, variance }, epsilon }, { x }) => ({
    y: mapVectors(x, (v) =>
      v.map((a, u) => {
        const normal = (a - mean.data[u]) / Math.sqrt(variance.data[u] + epsilon)
        return at(gamma, u, 1) * normal + at(beta, u, 0)
      }),
    ),
  }),
  layerNorm: ({ weights: { gamma, beta }, epsilon, axes }, { x }) => ({
    y: mapVectors(
      x,
      (v) => {
        const mean = v.reduce((sum, a) => sum + a, 0) / v.length
        const variance = v.reduce((sum, a) => sum + (a - mean) ** 2, 0) / v.length
        const deviation = Math.sqrt(variance + epsilon)
        return v.map((a, u) => at(gamma, u, 1) * ((a - mean) / deviation) + at(beta, u, 0))
      },
      axes,
    ),
  }),
  conv1d: conv1dLayer,
  activation: ({ activation }, { x }) => ({ y: mapVectors(x, (a) => apply(activation, a)) }),
  merge: mergeLayer,
}

/** @throws GruvError naming the node where numbers do not fit it. */
export function wholeLayer(
  node: VectorNode | TensorNode,
  inputs: Named<Tensor>,
  context: TensorContext,
): Named<Tensor> {
  if (!isVectorLayer(node)) return runTensorLayer(node, inputs, context)
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const run = vectorLayers[node.kind] as (
    each: VectorNode,
    arriving: Named<Tensor>,
  ) => Named<Tensor>
  return run(node, inputs)
}

function isVectorLayer(node: VectorNode | TensorNode): node is VectorNode {
  return Object.hasOwn(vectorLayers, node.kind)
}

/** y = φ(x·K + b) */
function denseLayer(node: DenseNode, { x }: Named<Tensor>): Named<Tensor> {
  const { kernel, bias } = node.weights
  return { y: mapVectors(x, (each) => apply(node.activation, affine(each, kernel, bias))) }
}

/** Row number x of the table; the mask is 0 where x is. */
function embeddingLayer(node: EmbeddingNode, { x }: Named<Tensor>): Named<Tensor> {
  const rows = vectorsOf(node.weights.table, node.units)
  const picked = Array.from(x.data, (index) => {
    if (Number.isInteger(index) && index >= 0 && index < rows.length) return rows[index]
    throw new GruvError('bad-argument', 'there is no such row in the embedding', {
      where: node.name,
      expected: `whole numbers from 0 to ${rows.length - 1}`,
      got: `${index}`,
    })
  })
  return {
    y: tensorOf([...x.shape, node.units], picked),
    mask: { shape: x.shape, data: Float64Array.from(x.data, (index) => Number(index !== 0)) },
  }
}

function maskingLayer({ value }: MaskingNode, { x }: Named<Tensor>): Named<Tensor> {
  const counts = vectorsOf(x, x.shape[2]).map((v) => v.some((a) => a !== value))
  let i = 0
  return {
    y: mapVectors(x, (v) => (counts[i++] ? v : v.map(() => 0))),
    mask: { shape: x.shape.slice(0, 2), data: Float64Array.from(counts, Number) },
  }
}

/** y_t = φ(b + Σ_k x_{t·stride + k·dilation − before} · K_k), zeros outside the sequence. */
function conv1dLayer(node: Conv1dNode, { x }: Named<Tensor>): Named<Tensor> {
  const { features, units, size, stride, dilation, groups, activation } = node
  const { kernel, bias } = node.weights
  const [rows, steps] = x.shape
  const before = node.padding === 'same' ? samePadding(steps, node).before : node.padding.before
  const count = windows(steps, node) as number
  const perGroup = features / groups
  const y = sequencesOf(x).flatMap((xs) =>
    Array.from({ length: count }, (_, t) =>
      apply(
        activation,
        Array.from({ length: units }, (_, u) => {
          const first = Math.floor(u / (units / groups)) * perGroup
          let sum = bias?.data[u] ?? 0
          for (let k = 0; k < size; k++) {
            const seen = xs[t * stride + k * dilation - before]
            for (let c = 0; seen !== undefined && c < perGroup; c++)
              sum += kernel.data[(k * perGroup + c) * units + u] * seen[first + c]
          }
          return sum
        }),
      ),
    ),
  )
  return { y: tensorOf([rows, count, units], y) }
}

/** Number u, where one may stand for all. */
function at(tensor: Tensor | null, u: number, missing: number): number {
  if (tensor === null) return missing
  return tensor.data[tensor.data.length === 1 ? 0 : u]
}

/** Element by element, or side by side. */
function mergeLayer({ mode }: MergeNode, inputs: Named<Tensor>): Named<Tensor> {
  const tensors = Object.values(inputs)
  const [first] = tensors
  if (mode === 'concatenate') {
    const parts = tensors.map((tensor) => vectorsOf(tensor, tensor.shape.at(-1)!))
    const y = parts[0].flatMap((_, i) => parts.flatMap((vectors) => vectors[i]))
    const width = tensors.reduce((sum, { shape }) => sum + shape.at(-1)!, 0)
    return { y: { shape: [...first.shape.slice(0, -1), width], data: Float64Array.from(y) } }
  }
  const merge = merges[mode]
  const merged = tensors
    .slice(1)
    .reduce((sum, { data }) => zip(sum, [...data], merge), [...first.data])
  const y = mode === 'average' ? merged.map((each) => each / tensors.length) : merged
  return { y: { shape: first.shape, data: Float64Array.from(y) } }
}

const merges: Readonly<
  Record<Exclude<MergeNode['mode'], 'concatenate'>, (a: number, b: number) => number>
> = {
  add: (a, b) => a + b,
  average: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
}
