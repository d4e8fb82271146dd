/**
 * Weights times a factor. The sieve multiplies its sums by it, so that no weights are copied; and a
 * factor that stands in no table can be estimated.
 */

import { type Candidate, type Choice, readingsOf } from './candidate.ts'
import { entryOf, type HypothesisName, hypothesisNames } from './hypotheses.ts'
import { leastNear, scan } from './least.ts'
import type { Sifter } from './sieve.ts'

/** Combinations of conventions for which a factor is found to the last digit. */
const MOST_REFINED = 12
/** The roundest number that explains the data is most likely the one that was meant. */
const DIGITS = [1, 2, 3, 4, 7, 17] as const

const scaling = hypothesisNames.filter((name) => entryOf(name).scales !== undefined)

/**
 * For each combination of conventions, the factor that brings the outputs nearest; the nearest
 * first, and the roundest numbers first.
 * @param late whether the time is up.
 */
export function* estimatedFactors(
  sieve: Sifter,
  choices: readonly Choice[],
  late: () => boolean,
): Generator<readonly Candidate[]> {
  const scaled = (choice: Choice, name: HypothesisName, factor: number): Candidate => ({
    choice,
    layers: {},
    quirks: [{ name, value: `${factor}`, layer: null }],
  })
  const scanned = []
  for (const name of scaling) {
    for (const choice of choices) {
      if (late()) return
      const excess = (factor: number): number =>
        sieve.sift(readingsOf(scaled(choice, name, factor))).excess
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
