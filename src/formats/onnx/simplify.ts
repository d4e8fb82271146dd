/**
 * Simplifies the graph: removes nodes that are not read or only move extents of one, and merges
 * biases and activations into the layers before them.
 */

import type { GraphParts } from '../../model/assemble.ts'
import { withoutLayout } from '../../model/layout.ts'
import type {
  Conv1dNode,
  ConvNode,
  ConvTransposeNode,
  DenseNode,
  LayerNode,
} from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { withoutUnread } from '../unread.ts'

export type Draft = Pick<GraphParts, 'inputs' | 'nodes' | 'outputs'>

export function simplify(draft: Draft): Draft {
  return onlyRead(fused(withoutLayout(onlyRead(draft))))
}

function onlyRead(draft: Draft): Draft {
  const nodes = withoutUnread(
    draft.nodes,
    draft.outputs.map(({ value }) => value),
  )
  return { ...draft, nodes }
}

type Weighted = DenseNode | Conv1dNode | ConvNode | ConvTransposeNode

function isWeighted(node: LayerNode): node is Weighted {
  return (
    node.kind === 'dense' ||
    node.kind === 'conv1d' ||
    node.kind === 'conv' ||
    node.kind === 'convTranspose'
  )
}

/** A shift right behind a product is its bias, an activation behind that is its activation. */
function fused({ inputs, nodes, outputs }: Draft): Draft {
  const readers = new Map<string, number>()
  const count = (value: string): void => void readers.set(value, (readers.get(value) ?? 0) + 1)
  for (const node of nodes) for (const value of Object.values(node.inputs)) count(value)
  for (const { value } of outputs) count(value)

  const made = new Map<string, number>()
  const kept: (LayerNode | null)[] = []
  for (const node of nodes) {
    const at = 'x' in node.inputs ? made.get(node.inputs.x) : undefined
    const before = at === undefined ? null : kept[at]
    const merged =
      before !== null &&
      before !== undefined &&
      isWeighted(before) &&
      readers.get(node.inputs.x) === 1
        ? absorbed(before, node)
        : null
    if (merged === null) kept.push(node)
    else kept[at!] = merged
    const place = merged === null ? kept.length - 1 : at!
    for (const value of Object.values(node.outputs)) made.set(value, place)
  }
  return { inputs, nodes: kept.filter((node) => node !== null), outputs }
}

/** The product with the node after it merged into it; null where they cannot be merged. */
function absorbed(product: Weighted, node: LayerNode): LayerNode | null {
  const { kernel, bias } = product.weights
  if (product.activation.kind !== 'linear') return null
  // The names are the product's; what is read afterwards is the node's value.
  const taken = { ...product, outputs: node.outputs }
  if (node.kind === 'activation') {
    const mixes = node.activation.kind === 'softmax' && product.kind !== 'dense'
    return mixes ? null : { ...taken, activation: node.activation }
  }
  if (node.kind !== 'affine' || node.weights.scale !== null || bias !== null) return null
  const units =
    product.kind === 'convTranspose' ? kernel.shape.at(-2)! * product.groups : kernel.shape.at(-1)!
  const shift = repeated(node.weights.shift!, units)
  return { ...taken, weights: { kernel, bias: shift } } as Weighted
}

function repeated(vector: Tensor, units: number): Tensor {
  if (vector.data.length === units) return vector
  return { shape: [units], data: Float64Array.from({ length: units }, () => vector.data[0]) }
}
