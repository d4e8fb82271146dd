/** Finds an input that tells candidates apart: random, longer and larger until it does. */

import type { Model } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { largestDistance } from '../verify/compare.ts'
import { largestMagnitude } from '../verify/tolerance.ts'
import type { Candidate } from './candidate.ts'
import { probe, respond } from './canonical.ts'

export interface Suggestion {
  readonly input: Named<Tensor>
  /** Outputs of any two candidates differ somewhere by at least this. */
  readonly differ: number
  /** The float32 rounding of such outputs; the difference is far larger. */
  readonly tolerance: number
}

/** How far above the tolerance a difference is beyond doubt. */
const CLEAR = 1000
/**
 * From short to long and from usual to extreme: state, saturation and batches are added in turn.
 */
const shapes = [
  { rows: 1, steps: 4, scale: 1 },
  { rows: 1, steps: 12, scale: 2 },
  { rows: 3, steps: 12, scale: 2 },
  { rows: 3, steps: 24, scale: 4 },
  { rows: 4, steps: 48, scale: 8 },
] as const

/**
 * The smallest input that separates all candidates clearly, or the one that separates them best.
 * Runs start from zeros, as a user's run will.
 */
export function suggest(model: Model, candidates: readonly Candidate[]): Suggestion | null {
  let best: Suggestion | null = null
  for (const { rows, steps, scale } of shapes) {
    const { input: whole } = probe(model, { rows, steps }, scale)
    const input = forCaller(whole, rows > 1)
    const responses = candidates.flatMap((candidate) => {
      const response = respond(model, candidate, { input, initialState: {} })
      return response === null ? [] : [response]
    })
    let differ = Number.POSITIVE_INFINITY
    for (let i = 0; i < responses.length; i++)
      for (let j = i + 1; j < responses.length; j++)
        differ = Math.min(differ, largestDistance(responses[i], responses[j]))
    const magnitude = Math.max(...responses.map(largestMagnitude))
    const suggestion = { input, differ, tolerance: 4 * 2 ** -24 * magnitude * Math.sqrt(steps) }
    if (differ >= CLEAR * suggestion.tolerance) return suggestion
    if (best === null || differ / suggestion.tolerance > best.differ / best.tolerance)
      best = suggestion
  }
  return best
}

/** float32 numbers, so that every framework gets the same input; a single row without its batch. */
function forCaller(input: Named<Tensor>, batched: boolean): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(input).map(([name, { shape, data }]) => [
      name,
      { shape: batched ? shape : shape.slice(1), data: Float32Array.from(data) },
    ]),
  )
}
