/** Answers what a node is to the outside, from a table of kinds of layers. */

import type { Named } from '../../tensor.ts'
import type { LayerKind, LayerNode, Port } from '../types.ts'
import type { LayerShape, LayerShapes, Shape, StateSlot } from './shape.ts'

/** Ports, shapes and states of the nodes of some kinds. */
export interface Signatures {
  /** The ports at which values may arrive. */
  readonly inputPorts: (node: LayerNode) => Readonly<Record<string, 'required' | 'optional'>>
  /** @throws GruvError `bad-shape` naming the node, when an input's shape does not fit it. */
  readonly outputShapes: (node: LayerNode, inputs: Named<Shape>) => Named<Shape>
  /** The states a node carries from step to step, named `node.slot`. */
  readonly statesOf: (node: LayerNode) => readonly StateSlot[]
  /** Checks ports whose axes are not their values'; absent where no port has some. */
  readonly checkPorts?: (
    ports: readonly (Port & { readonly value?: string })[],
    shapes: ReadonlyMap<string, Shape>,
  ) => void
}

/** @param table of all the kinds that will be asked for. */
export function signaturesOf<K extends LayerKind>(table: LayerShapes<K>): Signatures {
  // The table's type ties each kind to its node; TypeScript cannot follow that through an index.
  const rows = table as unknown as Readonly<Record<LayerKind, LayerShape<LayerNode>>>
  return {
    inputPorts(node) {
      const any = () => Object.keys(node.inputs).map((port) => [port, 'required'] as const)
      return rows[node.kind].inputs ?? Object.fromEntries(any())
    },
    outputShapes: (node, inputs) => rows[node.kind].outputs(node, inputs),
    statesOf: (node) =>
      (rows[node.kind].states?.(node) ?? []).map(({ name, size }) => ({
        name: `${node.name}.${name}`,
        size,
      })),
  }
}
