/**
 * Layers on whole tensors. They run outside the streaming kernels, in float64 for both precisions:
 * a float32 program rounds what comes out. Sums go through their terms in order.
 */

import { GruvError } from '../../errors.ts'
import { outputShapes } from '../../model/layers.ts'
import { evaluate } from '../../model/shapes/dims.ts'
import type { Dim, NodeOf, TensorNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { attention, multiHeadAttention } from './attention.ts'
import { conv, convTranspose, pool } from './conv.ts'
import { binary, unary, where } from './elementwise.ts'
import {
  concat,
  constant,
  expand,
  gather,
  pad,
  range,
  reshape,
  reverse,
  slice,
  transpose,
} from './layout.ts'
import { matmul } from './matmul.ts'
import { reduce, softmax } from './reduce.ts'
import type { Block } from './strides.ts'

export interface TensorContext {
  /** The number behind a symbol of this run: batch, time and whatever else the inputs bound. */
  readonly extent: (dim: Dim) => number
}

type Shape = readonly number[]
/** The numbers of `y`, whose shape is known. */
type One<N> = (node: N, inputs: Named<Block>, y: Shape) => Float64Array
/** The numbers of every output port. */
type Several<N> = (node: N, inputs: Named<Block>, shapes: Named<Shape>) => Named<Float64Array>

const single =
  <N>(run: One<N>): Several<N> =>
  (node, inputs, { y }) => ({ y: run(node, inputs, y) })

const table: { readonly [K in TensorNode['kind']]: Several<NodeOf<K>> } = {
  reverse: single(reverse),
  reshape: single(reshape),
  transpose: single(transpose),
  expand: single(expand),
  slice: single(slice),
  concat: single(concat),
  pad: single(pad),
  gather: single(gather),
  constant: single(constant),
  range: single(range),
  binary: single(binary),
  unary: single(unary),
  where: single(where),
  reduce: single(reduce),
  matmul: single(matmul),
  softmax: single(softmax),
  conv: single(conv),
  convTranspose: single(convTranspose),
  pool: single(pool),
  attention,
  multiHeadAttention,
}

/**
 * Inputs by port, row-major; outputs by port, in memory of their own. Data may be Float32Array or
 * Float64Array on the way in, is Float64Array on the way out.
 * @throws GruvError naming the node: `bad-shape` where extents do not fit each other, `bad-argument`
 * where an index lies outside, `too-large` where the result would not fit into memory.
 */
export function runTensorLayer(
  node: TensorNode,
  inputs: Named<Tensor>,
  context: TensorContext,
): Named<Tensor> {
  const blocks = mapValues(inputs, ({ shape, data }) => ({
    shape,
    data: data instanceof Float64Array ? data : Float64Array.from(data),
  }))
  const known = resolved(node, context)
  const extents = mapValues(inputs, ({ shape }) => shape)
  // Nothing is left open where every extent is a number.
  const shapes = outputShapes(known, extents) as Named<Shape>
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const run = table[known.kind] as Several<TensorNode>
  return mapValues(run(known, blocks, shapes), (data, port) => ({ shape: shapes[port], data }))
}

/** The node with numbers for the symbols in its shape. */
function resolved(node: TensorNode, { extent }: TensorContext): TensorNode {
  const number = (dim: Dim): number => {
    const value = typeof dim === 'number' ? dim : evaluate(dim, extent)
    if (Number.isInteger(value)) return value
    throw new GruvError('bad-shape', `nothing says how long ${dim} is`, { where: node.name })
  }
  if (node.kind === 'range') return { ...node, count: number(node.count) }
  if (node.kind !== 'reshape' && node.kind !== 'expand') return node
  return { ...node, shape: node.shape.map(number) }
}

function mapValues<A, B>(named: Named<A>, f: (value: A, key: string) => B): Named<B> {
  return Object.fromEntries(Object.entries(named).map(([key, value]) => [key, f(value, key)]))
}
