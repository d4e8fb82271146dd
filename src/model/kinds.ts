/**
 * What each kind of layer is to the outside: its ports, the shapes that go through them, the state
 * it carries. Which kinds are known is up to whoever asks: a page loads the tables of those that
 * its model has (`build.ts`), everybody else uses all of them (`layers.ts`).
 */

import type { Named, Tensor } from '../tensor.ts'
import type { LayerShape, LayerShapes, Shape, StateSlot } from './shapes/shape.ts'
import type { LayerKind, LayerNode } from './types.ts'

/** Questions about nodes of some kinds. */
export interface Kinds {
  /** Whether a node is of one of these kinds. */
  readonly knows: (node: { readonly kind: LayerKind }) => boolean
  readonly inputPorts: (node: LayerNode) => Readonly<Record<string, 'required' | 'optional'>>
  /** @throws GruvError `bad-shape` naming the node, when an input's shape does not fit it. */
  readonly outputShapes: (node: LayerNode, inputs: Named<Shape>) => Named<Shape>
  /** The states a node carries from step to step, named `node.slot`. */
  readonly statesOf: (node: LayerNode) => readonly StateSlot[]
  /** Every array of trained numbers of a node. */
  readonly weightsOf: (node: LayerNode) => Named<Tensor>
}

export function kindsOf(table: Partial<LayerShapes<LayerKind>>): Kinds {
  // The table's type ties each kind to its node; TypeScript cannot follow that through an index.
  const shapeOf = ({ kind }: LayerNode): LayerShape<LayerNode> =>
    table[kind] as unknown as LayerShape<LayerNode>
  return {
    knows: ({ kind }) => Object.hasOwn(table, kind),
    inputPorts: (node) =>
      shapeOf(node).inputs ??
      Object.fromEntries(Object.keys(node.inputs).map((port) => [port, 'required'] as const)),
    outputShapes: (node, inputs) => shapeOf(node).outputs(node, inputs),
    statesOf: (node) =>
      (shapeOf(node).states?.(node) ?? []).map(({ name, size }) => ({
        name: `${node.name}.${name}`,
        size,
      })),
    weightsOf: (node) => shapeOf(node).weights?.(node) ?? {},
  }
}
