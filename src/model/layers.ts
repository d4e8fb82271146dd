/** All kinds of layers, and what they are to the outside. */

import { type Kinds, kindsOf } from './kinds.ts'
import { recurrentShapes } from './shapes/recurrent.ts'
import type { LayerShapes } from './shapes/shape.ts'
import { tensorShapes } from './shapes/tensor.ts'
import { vectorShapes } from './shapes/vector.ts'
import type { LayerKind, LayerNode, RecurrentNode } from './types.ts'

const layerShapes: LayerShapes<LayerKind> = { ...recurrentShapes, ...vectorShapes, ...tensorShapes }

/** Every kind there is. */
export const layerKinds = Object.keys(layerShapes) as readonly LayerKind[]

export const allKinds: Kinds = kindsOf(layerShapes)

export const { inputPorts, outputShapes, statesOf, weightsOf } = allKinds

/** Whether a layer is a GRU, an LSTM or a simple RNN. */
export function isRecurrent(node: LayerNode): node is RecurrentNode {
  return Object.hasOwn(recurrentShapes, node.kind)
}
