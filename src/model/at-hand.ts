/**
 * The kinds of layers that most models are made of, and the others when a model has them: a page
 * never downloads tables of layers that it has not.
 */

import { buildModel, type GraphParts } from './build.ts'
import { type Kinds, kindsOf } from './kinds.ts'
import { denseShapes } from './shapes/dense.ts'
import { recurrentShapes } from './shapes/recurrent.ts'
import type { LayerKind, Model } from './types.ts'

/** Recurrent layers and Dense. */
export const kindsAtHand: Kinds = kindsOf({ ...recurrentShapes, ...denseShapes })

/** At least the kinds of these nodes. */
export async function kindsFor(nodes: readonly { readonly kind: LayerKind }[]): Promise<Kinds> {
  return nodes.every(kindsAtHand.knows) ? kindsAtHand : (await import('./layers.ts')).allKinds
}

/** `createModel` (`graph.ts`), with the kinds that it takes. */
export async function assembleModel(parts: GraphParts): Promise<Model> {
  return buildModel(parts, await kindsFor(parts.nodes))
}
