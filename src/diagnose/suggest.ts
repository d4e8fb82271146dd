/** An input that tells candidates apart: random, and enlarged until it does. */

import type { Model } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import type { Candidate } from './candidate.ts'
import { apart, probe, respond, scaleOf } from './canonical.ts'

export interface Suggestion {
  readonly input: Named<Tensor>
  /** Outputs of any two candidates differ somewhere by at least this. */
  readonly differ: number
  /** The float32 rounding of such outputs, which the difference is far above. */
  readonly tolerance: number
}

/** How far above the tolerance a difference counts as seen by anybody. */
const CLEAR = 1000
/** From short to long, from usual to wild: state, saturation and batches come into play one by one. */
const shapes = [
  { rows: 1, steps: 4, scale: 1 },
  { rows: 1, steps: 12, scale: 2 },
  { rows: 3, steps: 12, scale: 2 },
  { rows: 3, steps: 24, scale: 4 },
  { rows: 4, steps: 48, scale: 8 },
] as const

/**
 * The smallest input that separates all candidates clearly, or the one that separates them best.
 * Runs start from zeros, as whoever tries it will start.
 */
export function suggest(model: Model, candidates: readonly Candidate[]): Suggestion | null {
  let best: Suggestion | null = null
  for (const { rows, steps, scale } of shapes) {
    const { input: whole } = probe(model, { rows, steps }, scale)
    const input = rows === 1 ? withoutBatch(whole) : rounded(whole)
    const responses = candidates.flatMap((candidate) => {
      const response = respond(model, candidate, { input, initialState: {} })
      return response === null ? [] : [response]
    })
    let differ = Number.POSITIVE_INFINITY
    for (let i = 0; i < responses.length; i++)
      for (let j = i + 1; j < responses.length; j++)
        differ = Math.min(differ, apart(responses[i], responses[j]))
    const magnitude = Math.max(...responses.map(scaleOf))
    const suggestion = { input, differ, tolerance: 4 * 2 ** -24 * magnitude * Math.sqrt(steps) }
    if (differ >= CLEAR * suggestion.tolerance) return suggestion
    if (best === null || differ / suggestion.tolerance > best.differ / best.tolerance)
      best = suggestion
  }
  return best
}

function withoutBatch(input: Named<Tensor>): Named<Tensor> {
  return mapTensors(input, ({ shape, data }) => ({
    shape: shape.slice(1),
    data: Float32Array.from(data),
  }))
}

/** float32 numbers, so that every framework is fed the same. */
function rounded(input: Named<Tensor>): Named<Tensor> {
  return mapTensors(input, ({ shape, data }) => ({ shape, data: Float32Array.from(data) }))
}

function mapTensors(input: Named<Tensor>, change: (tensor: Tensor) => Tensor): Named<Tensor> {
  return Object.fromEntries(Object.entries(input).map(([name, tensor]) => [name, change(tensor)]))
}
