/** Finds an input that tells candidates apart: random, longer and larger until it does. */

import type { Model } from '../model/types.ts'
import { inOrderOf } from '../runtime/run/inputs.ts'
import { largestDistance, type Named, type Tensor } from '../tensor.ts'
import { largestMagnitude } from '../verify/tolerance.ts'
import type { Candidate } from './candidate.ts'
import { probe, respond } from './canonical.ts'
import type { Extents } from './runs.ts'

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
export function suggest(
  { source, model, extents }: Suggested,
  candidates: readonly Candidate[],
): Suggestion | null {
  let best: Suggestion | null = null
  for (const { scale, ...shape } of shapes) {
    // Where a file fixes its extents, only such an input can be run.
    const { rows, steps } = fixesExtents(source) ? extents : shape
    const { input: whole } = probe(model, { rows, steps }, scale)
    const input = forCaller(source, whole, rows > 1 || fixesExtents(source))
    const responses = candidates.flatMap((candidate) => {
      const response = respond(model, candidate, { input: whole, initialState: {} })
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

/** What a suggestion is for: the model as the caller sees it, and as the search does. */
interface Suggested {
  readonly source: Model
  readonly model: Model
  readonly extents: Extents
}

function fixesExtents({ inputs }: Model): boolean {
  return inputs.some(
    ({ shape }) => !shape.includes('batch') || (shape.length > 2 && !shape.includes('time')),
  )
}

/** float32 numbers, so that every framework gets the same input; a single row without its batch. */
function forCaller(source: Model, input: Named<Tensor>, batched: boolean): Named<Tensor> {
  return Object.fromEntries(
    source.inputs.map((port) => {
      const { shape, data } = inOrderOf(port, input[port.name])
      const axis = port.shape.indexOf('batch')
      return [
        port.name,
        { shape: batched ? shape : shape.toSpliced(axis, 1), data: Float32Array.from(data) },
      ]
    }),
  )
}
