/** Finds weights that are stored with few digits, and arrays with numbers that are not finite. */

import type { Named, Tensor } from '../../tensor.ts'
import type { LayerNode } from '../types.ts'

/** A node, and its trained numbers by the path they have in `weights`. */
export interface TrainedNode {
  readonly node: LayerNode
  readonly arrays: Named<Tensor>
}

/** The narrow types that weights are stored in. */
export function findNarrowTypes(nodes: readonly TrainedNode[]): readonly string[] {
  const tensors = nodes.flatMap(({ arrays }) => Object.values(arrays))
  const narrow = tensors.flatMap(({ dtype }) =>
    dtype === 'float16' || dtype === 'bfloat16' ? [dtype] : [],
  )
  return [...new Set(narrow)]
}

/** An array with numbers that are not finite. */
export interface NonFinite {
  readonly node: string
  readonly array: string
  readonly data: Float32Array | Float64Array
}

const nonFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

export function findNonFinite(nodes: readonly TrainedNode[]): readonly NonFinite[] {
  return nodes.flatMap(({ node, arrays }) =>
    Object.entries(arrays).flatMap(([array, { data }]) =>
      // Typed arrays find a number faster than a loop does.
      nonFinite.some((value) => data.includes(value)) ? [{ node: node.name, array, data }] : [],
    ),
  )
}
