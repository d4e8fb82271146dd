/** All kinds of layers, and what they are to the outside. */

import { allShapes, allSignatures } from './shapes/all.ts'
import { recurrentShapes } from './shapes/recurrent.ts'
import type { LayerKind, LayerNode, RecurrentNode } from './types.ts'

/** Every kind there is. */
export const layerKinds = Object.keys(allShapes) as readonly LayerKind[]

export const { inputPorts, outputShapes, statesOf } = allSignatures

/** Whether a layer is a GRU, an LSTM or a simple RNN. */
export function isRecurrent(node: LayerNode): node is RecurrentNode {
  return Object.hasOwn(recurrentShapes, node.kind)
}
