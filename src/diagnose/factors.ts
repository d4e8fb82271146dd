/**
 * Weights times a factor. The sieve multiplies its sums by it, so that no weights are copied; and a
 * factor that stands in no table can be estimated.
 */

import { type Candidate, type Choice, inTableOrder, readingsOf } from './candidate.ts'
import { entryOf, type HypothesisName, hypothesisNames } from './hypotheses.ts'
import { leastNear, scan } from './least.ts'
import type { Quirk } from './quirks.ts'
import type { Sifted, Sifter } from './sieve.ts'

/** Combinations of conventions for which a factor is found to the last digit. */
const MOST_REFINED = 12
/** The roundest number that explains the data is most likely the one that was meant. */
const DIGITS = [1, 2, 3, 4, 7, 17] as const

const scaling = hypothesisNames.filter((name) => entryOf(name).scales !== undefined)

/**
 * For each combination of conventions, the factor that brings the outputs nearest; the nearest
 * first, and the roundest numbers first.
 * @param sieve for the model with `others`, which are quirks beside the factor.
 * @param late whether the time is up.
 */
export function* estimatedFactors(
  sieve: Sifter,
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
        remoteness(sieve.sift(readingsOf(scaled(choice, name, factor))))
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
 * Less for whatever gets further, and otherwise for what comes nearer: below 1 / steps, and since
 * windows grow fourfold and what leaves one exceeds 1, above all that passes the next.
 */
function remoteness({ steps, excess }: Sifted): number {
  if (excess === Number.POSITIVE_INFINITY) return 1 / Math.max(1 / 4, steps)
  const bounded = Math.log1p(excess) / (1 + Math.log1p(excess))
  return bounded / Math.max(1 / 4, steps)
}
