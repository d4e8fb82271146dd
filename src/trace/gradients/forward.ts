/** Runs a layer without a state forward, where all extents are numbers. */

import type { TensorNode, VectorNode } from '../../model/types.ts'
import { wholeLayer } from '../../runtime/reference/layers.ts'
import type { Named, Tensor } from '../../tensor.ts'

export function forward(node: VectorNode | TensorNode, inputs: Named<Tensor>): Named<Tensor> {
  return wholeLayer(node, inputs, { extent: Number })
}
