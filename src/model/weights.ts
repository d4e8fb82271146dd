/** Finds the trained numbers of a node, whatever its kind. */

import type { Named, Tensor } from '../tensor.ts'
import type { LayerNode } from './types.ts'

/** Every array of trained numbers of a node, by the path it has in `weights`: `bias`, `kernel.z`. */
export function weightsOf(node: LayerNode): Named<Tensor> {
  // Interfaces lack the index signature that all of these have in common.
  const weights = ('weights' in node ? node.weights : {}) as unknown as Named<
    Tensor | Named<Tensor> | null
  >
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, value]): (readonly [string, Tensor])[] => {
      if (value === null) return []
      if (isTensor(value)) return [[name, value]]
      return Object.entries(value).map(([gate, tensor]) => [`${name}.${gate}`, tensor])
    }),
  )
}

function isTensor(value: Tensor | Named<Tensor>): value is Tensor {
  return ArrayBuffer.isView(value.data)
}
