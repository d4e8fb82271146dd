/**
 * Warns of odd weights: dead units, saturated gates, lost digits, numbers that are not finite.
 * Warnings are computed when asked for (`load` asks), not when a model is built; the words for them
 * are fetched when there is something to say.
 */

import type { Model } from '../types.ts'
import { weightsOf } from '../weights.ts'
import { findSaturation } from './saturation.ts'
import { findNarrowTypes, findNonFinite } from './weights.ts'

/** A sentence for each thing that a healthy training rarely leaves behind. */
export async function warningsOf({ nodes }: Pick<Model, 'nodes'>): Promise<readonly string[]> {
  const trained = nodes.map((node) => ({ node, arrays: weightsOf(node) }))
  const saturation = findSaturation(trained)
  const narrow = findNarrowTypes(trained)
  const nonFinite = findNonFinite(trained)
  if ([saturation, narrow, nonFinite].every(({ length }) => length === 0)) return []
  const { describeNarrow, describeNonFinite, describeSaturation } = await import('./messages.ts')
  return [
    ...saturation.map(describeSaturation),
    ...narrow.map(describeNarrow),
    ...nonFinite.map(describeNonFinite),
  ]
}

/** The same model, its own warnings first, then those about its weights; each once. */
export async function withWarnings(model: Model): Promise<Model> {
  const warnings = new Set([...model.warnings, ...(await warningsOf(model))])
  return Object.freeze({ ...model, warnings: Object.freeze([...warnings]) })
}
