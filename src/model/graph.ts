/** Puts nodes of any kind together into a Model. */

import { assembleModel, type GraphParts, shapesOfValues } from './assemble.ts'
import { allSignatures } from './shapes/all.ts'
import type { Dim, LayerNode, Model, Port } from './types.ts'

export type { GraphParts } from './assemble.ts'

/**
 * A Model from its parts: every value is produced once and before it is read, every shape fits.
 * @throws GruvError `bad-model` or `bad-shape`, naming the node or port.
 */
export function createModel(parts: GraphParts): Model {
  return assembleModel(parts, allSignatures)
}

/** The shape of every value of a graph, by name. */
export function valueShapes(
  inputs: readonly Port[],
  nodes: readonly LayerNode[],
): ReadonlyMap<string, readonly Dim[]> {
  return shapesOfValues(inputs, nodes, allSignatures)
}
