/**
 * The kinds of layers that most models are made of, and the others when a model has them: a page
 * never downloads tables of layers that it has not.
 */

import { buildModel, type GraphParts } from './build.ts'
import { type Kinds, kindsOf } from './kinds.ts'
import { denseShapes } from './shapes/dense.ts'
import { recurrentShapes } from './shapes/recurrent.ts'
import type { Model } from './types.ts'

/** Recurrent layers and Dense. */
export const kindsAtHand: Kinds = kindsOf({ ...recurrentShapes, ...denseShapes })

/** `createModel` (`graph.ts`), which is fetched when the parts are of other kinds. */
export async function assembleModel(parts: GraphParts): Promise<Model> {
  if (parts.nodes.every(kindsAtHand.knows)) return buildModel(parts, kindsAtHand)
  return (await import('./graph.ts')).createModel(parts)
}
