/**
 * Which of the readings that fit are worth telling.
 *
 * Whatever the data does not show can be changed in a fit, and it still fits: from the simplest fit
 * a chain of such single changes leads to all of these. Fits that no chain reaches are of another
 * kind: several departures at once, each of them wrong by itself, make up for each other. Such a
 * coincidence is only believed when nothing simpler fits.
 */

import { changesBetween, departures, simplerFirst } from './candidate.ts'
import type { Measured } from './measure.ts'

export interface GroupedFits {
  readonly fits: readonly Measured[]
  readonly compensating: readonly Measured[]
}

/** Both lists simplest first. */
export function groupFits(all: readonly Measured[]): GroupedFits {
  const sorted = all.toSorted(
    (a, b) => simplerFirst(a.candidate, b.candidate) || a.maxError - b.maxError,
  )
  if (sorted.length === 0) return { fits: [], compensating: [] }
  const least = departures(sorted[0].candidate)
  const reached = sorted.filter(({ candidate }) => departures(candidate) === least)
  let rest = sorted.filter(({ candidate }) => departures(candidate) > least)
  for (let i = 0; i < reached.length; i++) {
    const far: Measured[] = []
    for (const fit of rest) {
      if (changesBetween(reached[i].candidate, fit.candidate) === 1) reached.push(fit)
      else far.push(fit)
    }
    rest = far
  }
  const fits = new Set(reached)
  return {
    fits: sorted.filter((fit) => fits.has(fit)),
    compensating: sorted.filter((fit) => !fits.has(fit)),
  }
}
