/**
 * Separates the fits that the data leaves open from coincidences.
 *
 * A fit remains a fit when something is changed that the data does not show. A chain of such single
 * changes leads from the simplest fit to all fits of this kind. Fits that no chain reaches consist
 * of several departures that are each wrong alone and compensate each other. Such a coincidence is
 * only accepted when nothing simpler fits.
 */

import { changesBetween, departures, simplerFirst } from './candidate.ts'
import type { Measured } from './measure.ts'

export interface GroupedFits {
  readonly fits: readonly Measured[]
  readonly compensating: readonly Measured[]
}

/** Both lists are sorted, simplest first. */
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
