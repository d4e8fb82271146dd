/**
 * What planning asks of layers, whatever kinds a model has: a page has the answers for plain models
 * (`plain.ts`), everybody else those for all (`graph.ts`).
 */

import type { StateSlot } from './shapes/shape.ts'
import type { Dim, LayerNode, Model } from './types.ts'

export interface Kinds {
  /** The shape of every value of a graph, by name. */
  readonly shapes: (model: Pick<Model, 'inputs' | 'nodes'>) => ReadonlyMap<string, readonly Dim[]>
  /** The states a node carries from step to step, named `node.slot`. */
  readonly statesOf: (node: LayerNode) => readonly StateSlot[]
}
