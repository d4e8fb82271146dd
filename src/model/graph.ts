/** Models of any kinds of layers. */

import { buildModel, type GraphParts, shapesOfValues } from './build.ts'
import { allKinds } from './layers.ts'
import { stuckWarnings } from './stuck.ts'
import type { Dim, LayerNode, Model, Port } from './types.ts'

/**
 * A Model from its parts: every value is produced once and before it is read, every shape fits.
 * @throws GruvError `bad-model` or `bad-shape`, naming the node or port.
 */
export function createModel(parts: GraphParts): Model {
  const warnings = [...(parts.warnings ?? []), ...stuckWarnings(parts.nodes, allKinds)]
  return buildModel({ ...parts, warnings }, allKinds)
}

/** The shape of every value of a graph, by name. */
export function valueShapes(
  inputs: readonly Port[],
  nodes: readonly LayerNode[],
): ReadonlyMap<string, readonly Dim[]> {
  return shapesOfValues(inputs, nodes, allKinds)
}
