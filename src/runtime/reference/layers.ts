/**
 * The oracle's table: every layer on whole tensors, in float64. Layers that have no kernel in the
 * engines (`runtime/tensor/`) are the same code here and there; everything else is written twice,
 * once for speed and once to be compared with.
 */

import { GruvError } from '../../errors.ts'
import type { DenseNode, Dim, LayerKind, LayerNode, MergeNode, NodeOf } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { affine, apply, mapVectors, vectorsOf, zip } from './vectors.ts'

export interface WholeContext {
  /** The number behind a symbol of this run. */
  readonly extent: (dim: Dim) => number
}

/** Layers whose steps do not depend on each other. */
type StatelessKind = Exclude<LayerKind, 'gru' | 'lstm' | 'rnn'>

type StatelessTable = {
  readonly [K in StatelessKind]?: (
    node: NodeOf<K>,
    inputs: Named<Tensor>,
    context: WholeContext,
  ) => Named<Tensor>
}

const table: StatelessTable = {
  dense: denseLayer,
  activation: ({ activation }, { x }) => ({ y: mapVectors(x, (a) => apply(activation, a)) }),
  merge: mergeLayer,
  reverse: (_, { x }) => ({ y: reversed(x) }),
}

/** @throws GruvError naming the node where numbers do not fit it. */
export function wholeLayer(
  node: LayerNode,
  inputs: Named<Tensor>,
  context: WholeContext,
): Named<Tensor> {
  const run = (table as Partial<Record<LayerKind, unknown>>)[node.kind] as
    | ((node: LayerNode, inputs: Named<Tensor>, context: WholeContext) => Named<Tensor>)
    | undefined
  if (run !== undefined) return run(node, inputs, context)
  throw new GruvError('unsupported', `a ${node.kind} layer cannot be computed yet`, {
    where: node.name,
  })
}

/** y = φ(x·K + b) */
function denseLayer(node: DenseNode, { x }: Named<Tensor>): Named<Tensor> {
  const { kernel, bias } = node.weights
  return { y: mapVectors(x, (each) => apply(node.activation, affine(each, kernel, bias))) }
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

function reversed(x: Tensor): Tensor {
  const [rows, steps] = x.shape
  const width = x.data.length / (rows * steps)
  const vectors = vectorsOf(x, width)
  return {
    shape: x.shape,
    data: Float64Array.from(
      vectors.flatMap((_, i) => vectors[i - (i % steps) + steps - 1 - (i % steps)]),
    ),
  }
}
