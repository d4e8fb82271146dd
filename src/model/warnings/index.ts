/**
 * Warns of odd weights: dead units, saturated gates, lost digits, numbers that are not finite.
 * Warnings are computed when asked for (`load` asks), not when a model is built; the words for them
 * are fetched when there is something to say.
 */

import type { Model } from '../types.ts'
import { weightsOf } from '../weights.ts'
import type { Oddities } from './messages.ts'
import { findSaturation } from './saturation.ts'
import { findNarrowTypes, findNonFinite } from './weights.ts'

/** Null where there is nothing to say. */
export function findOddities({ nodes }: Pick<Model, 'nodes'>): Oddities | null {
  const trained = nodes.map((node) => ({ node, arrays: weightsOf(node) }))
  const saturation = findSaturation(trained)
  const narrow = findNarrowTypes(trained)
  const nonFinite = findNonFinite(trained)
  const none = [saturation, narrow, nonFinite].every(({ length }) => length === 0)
  return none ? null : { saturation, narrow, nonFinite }
}

/** A sentence for each thing that is odd. */
export async function warningsOf(model: Pick<Model, 'nodes'>): Promise<readonly string[]> {
  const oddities = findOddities(model)
  return oddities === null ? [] : (await import('./messages.ts')).describeOddities(oddities)
}

export async function withWarnings(model: Model): Promise<Model> {
  return warned(model, await warningsOf(model))
}

/** The same model, its own warnings first, then those about its weights; each once. */
export function warned(model: Model, sentences: readonly string[]): Model {
  const warnings = Object.freeze([...new Set([...model.warnings, ...sentences])])
  return Object.freeze({ ...model, warnings })
}
