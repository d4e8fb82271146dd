/** All kinds of layers, and what they are to the outside. */

import type { Named, Tensor } from '../tensor.ts'
import { recurrentShapes } from './shapes/recurrent.ts'
import type { LayerShape, LayerShapes, Shape, StateSlot } from './shapes/shape.ts'
import { tensorShapes } from './shapes/tensor.ts'
import { vectorShapes } from './shapes/vector.ts'
import type { LayerKind, LayerNode, RecurrentNode } from './types.ts'

const layerShapes: LayerShapes<LayerKind> = { ...recurrentShapes, ...vectorShapes, ...tensorShapes }

/** Every kind there is. */
export const layerKinds = Object.keys(layerShapes) as readonly LayerKind[]

// The table's type ties each kind to its node; TypeScript cannot follow that through an index.
function shapeOf({ kind }: LayerNode): LayerShape<LayerNode> {
  return layerShapes[kind] as unknown as LayerShape<LayerNode>
}

/** The ports at which values may arrive. */
export function inputPorts(node: LayerNode): Readonly<Record<string, 'required' | 'optional'>> {
  const any = () => Object.keys(node.inputs).map((port) => [port, 'required'] as const)
  return shapeOf(node).inputs ?? Object.fromEntries(any())
}

/** @throws GruvError `bad-shape` naming the node, when an input's shape does not fit it. */
export function outputShapes(node: LayerNode, inputs: Named<Shape>): Named<Shape> {
  return shapeOf(node).outputs(node, inputs)
}

/** The states a node carries from step to step, named `node.slot`. */
export function statesOf(node: LayerNode): readonly StateSlot[] {
  return (shapeOf(node).states?.(node) ?? []).map(({ name, size }) => ({
    name: `${node.name}.${name}`,
    size,
  }))
}

/** Every array of trained numbers of a node. */
export function weightsOf(node: LayerNode): Named<Tensor> {
  return shapeOf(node).weights?.(node) ?? {}
}

/** Whether a layer is a GRU, an LSTM or a simple RNN. */
export function isRecurrent(node: LayerNode): node is RecurrentNode {
  return Object.hasOwn(recurrentShapes, node.kind)
}
