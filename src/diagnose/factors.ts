/**
 * Estimates a factor by which weights are scaled. The prefilter multiplies its sums by it, so no
 * weights are copied and any factor can be tried, not only those of the table.
 */

import { type Candidate, type Choice, inTableOrder, readingsOf } from './candidate.ts'
import { entryOf, type HypothesisName, hypothesisNames } from './hypotheses.ts'
import { leastNear, scan } from './minimum.ts'
import type { Prefilter, PrefilterResult } from './prefilter.ts'
import type { Quirk } from './quirks.ts'

/** Combinations of conventions for which a factor is refined to the last digit. */
const MOST_REFINED = 12
/** The roundest number that explains the data is most likely the intended one. */
const DIGITS = [1, 2, 3, 4, 7, 17] as const

const scaling = hypothesisNames.filter((name) => entryOf(name).scales !== undefined)

/**
 * For each combination of conventions, the factor that brings the outputs nearest; the nearest
 * first, and the roundest numbers first.
 * @param prefilter for the model with `others`, which are quirks beside the factor.
 * @param late whether time has run out.
 */
export function* estimatedFactors(
  prefilter: Prefilter,
  choices: readonly Choice[],
  others: readonly Quirk[],
  late: () => boolean,
): Generator<readonly Candidate[]> {
  const scaled = (choice: Choice, name: HypothesisName, factor: number): Candidate => ({
    choice,
    layers: {},
    quirks: inTableOrder([...others, { name, value: `${factor}`, layer: null }]),
  })
  const scanned = []
  for (const name of scaling) {
    for (const choice of choices) {
      if (late()) return
      const excess = (factor: number): number =>
        remoteness(prefilter.test(readingsOf(scaled(choice, name, factor))))
      scanned.push({ name, choice, excess, ...scan(excess) })
    }
  }
  for (const { name, choice, excess, at } of scanned
    .toSorted((a, b) => a.least - b.least)
    .slice(0, MOST_REFINED)) {
    const factor = leastNear(excess, at)
    const values = new Set(DIGITS.map((digits) => +factor.toPrecision(digits)))
    yield [...values].map((value) => scaled(choice, name, value))
  }
}

/**
 * Smaller for candidates that stay right for more steps, and among those for the nearer ones. The
 * value is below 1 / steps; since windows grow fourfold and a failed one has an excess above 1, it
 * is also above the value of every candidate that passes the next window.
 */
function remoteness({ steps, excess }: PrefilterResult): number {
  if (excess === Number.POSITIVE_INFINITY) return 1 / Math.max(1 / 4, steps)
  const bounded = Math.log1p(excess) / (1 + Math.log1p(excess))
  return bounded / Math.max(1 / 4, steps)
}
