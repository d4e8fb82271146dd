/** What layers on whole tensors cost: numbers beside inputs and outputs, and steps of arithmetic. */

import type { LayerNode, NodeOf, TensorNode } from '../../model/types.ts'
import { weightsOf } from '../../model/weights.ts'
import { type Named, sizeOf } from '../../tensor.ts'

type Shape = readonly number[]

export interface Cost {
  /** Numbers that are made and dropped again on the way. */
  readonly scratch: number
  /** Multiplications, comparisons or moves in the innermost loops. */
  readonly operations: number
}

type CostOf<N> = (node: N, inputs: Named<Shape>, outputs: Named<Shape>) => Cost

/** Each number of the output is visited once, by way of so many copies. */
const moved =
  (copies: number): CostOf<unknown> =>
  (_, inputs, { y }) => {
    const arriving = Object.values(inputs).reduce((sum, shape) => sum + sizeOf(shape), 0)
    return { scratch: copies * sizeOf(y), operations: arriving + sizeOf(y) }
  }

/** Each window meets no more taps than there are numbers on the long side. */
function windowCost(taps: number, short: Shape, long: Shape, products: number): Cost {
  const met = Math.min(taps, sizeOf(long))
  return { scratch: 3 * met, operations: sizeOf(short) * met * products }
}

const inside = (shape: Shape): Shape => shape.slice(1, -1)

const costs: { readonly [K in TensorNode['kind']]: CostOf<NodeOf<K>> } = {
  reverse: moved(0),
  reshape: moved(0),
  transpose: moved(0),
  expand: moved(0),
  slice: moved(1),
  concat: moved(0),
  pad: moved(2),
  gather: moved(0),
  constant: moved(0),
  range: moved(0),
  binary: moved(0),
  unary: moved(0),
  where: moved(0),
  reduce: (_, { x }) => ({ scratch: sizeOf(x), operations: 2 * sizeOf(x) }),
  softmax: (_, { x }) => ({ scratch: 0, operations: 4 * sizeOf(x) }),
  matmul: (_, { a }, { y }) => ({
    scratch: 4 * sizeOf(y.slice(0, -2)),
    operations: sizeOf(y) * (a.at(-1) ?? 1),
  }),
  conv(node, { x }, { y }) {
    const { shape } = node.weights.kernel
    const products = (y[0] * x.at(-1)! * y.at(-1)!) / node.groups
    return windowCost(sizeOf(shape.slice(0, -2)), inside(y), inside(x), products)
  },
  convTranspose(node, { x }, { y }) {
    const { shape } = node.weights.kernel
    const products = (y[0] * x.at(-1)! * y.at(-1)!) / node.groups
    return windowCost(sizeOf(shape.slice(0, -2)), inside(x), inside(y), products)
  },
  pool: (node, { x }, { y }) =>
    windowCost(sizeOf(node.sizes), inside(y), inside(x), y[0] * y.at(-1)!),
  // Scores are made whether a port shows them or not; the copies are of masks and weights.
  attention(_, { query, value }) {
    const scores = query[0] * query[1] * value[1]
    return { scratch: 3 * scores, operations: scores * (query[2] + value[2]) }
  },
  multiHeadAttention({ heads, keySize, valueSize }, { query, value, key = value }) {
    const scores = heads * query[0] * query[1] * value[1]
    const vectors = query[0] * (query[1] + value[1] + key[1])
    return {
      scratch: 3 * scores + 2 * vectors * heads * Math.max(keySize, valueSize),
      operations: scores * (keySize + valueSize) + vectors * heads * keySize * query[2],
    }
  },
}

/** Of one node, given the shapes at its ports. */
export function costOf(node: LayerNode, inputs: Named<Shape>, outputs: Named<Shape>): Cost {
  if (Object.hasOwn(costs, node.kind)) {
    // The table's type ties each kind to its node; TypeScript cannot follow an index.
    return (costs[node.kind as TensorNode['kind']] as CostOf<LayerNode>)(node, inputs, outputs)
  }
  // A layer of vectors makes a list of each vector, and meets its weights once for each.
  const shapes = [...Object.values(inputs), ...Object.values(outputs)]
  const numbers = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)
  const vectors = Math.max(0, ...shapes.map((shape) => sizeOf(shape.slice(0, -1))))
  const weights = Object.values(weightsOf(node)).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  return { scratch: numbers + 8 * vectors, operations: numbers + vectors * weights }
}
