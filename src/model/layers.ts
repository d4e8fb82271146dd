/**
 * What each kind of layer is to the outside: its ports, the shapes that go through them, the state
 * it carries. How a layer is computed stands in the runtime's table.
 */

import type { Named, Tensor } from '../tensor.ts'
import { recurrentShapes } from './shapes/recurrent.ts'
import type { LayerShape, LayerShapes, Shape, StateSlot } from './shapes/shape.ts'
import { tensorShapes } from './shapes/tensor.ts'
import { vectorShapes } from './shapes/vector.ts'
import type { LayerKind, LayerNode, RecurrentNode } from './types.ts'

const layerShapes: LayerShapes<LayerKind> = { ...recurrentShapes, ...vectorShapes, ...tensorShapes }

/** Every kind there is. */
export const layerKinds = Object.keys(layerShapes) as readonly LayerKind[]

/** Whether a layer is a GRU, an LSTM or a simple RNN. */
export function isRecurrent(node: LayerNode): node is RecurrentNode {
  return Object.hasOwn(recurrentShapes, node.kind)
}

/** The description of this node's kind, typed for the node at hand. */
function shapeOf<N extends LayerNode>(node: N): LayerShape<N> {
  // The table's type ties each kind to its node; TypeScript cannot follow that through an index.
  return layerShapes[node.kind] as unknown as LayerShape<N>
}

export function inputPorts(node: LayerNode): Readonly<Record<string, 'required' | 'optional'>> {
  return (
    shapeOf(node).inputs ??
    Object.fromEntries(Object.keys(node.inputs).map((port) => [port, 'required'] as const))
  )
}

/** @throws GruvError `bad-shape` naming the node, when an input's shape does not fit it. */
export function outputShapes(node: LayerNode, inputs: Named<Shape>): Named<Shape> {
  return shapeOf(node).outputs(node, inputs)
}

/** The states a node carries from step to step, named `node.slot`. */
export function statesOf(node: LayerNode): readonly StateSlot[] {
  const slots = shapeOf(node).states?.(node) ?? []
  return slots.map(({ name, size }) => ({ name: `${node.name}.${name}`, size }))
}

/** Every array of trained numbers of a node. */
export function weightsOf(node: LayerNode): Named<Tensor> {
  return shapeOf(node).weights?.(node) ?? {}
}
