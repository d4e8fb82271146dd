/** Products of weights with vectors, by the panels in which they lie (`layers/panels.ts`). */

import { panelUnits } from '../plan/layers/panels.ts'
import type { Memory } from '../plan/types.ts'
import { LANES, padded } from '../plan/types.ts'
import type { Ops } from './ops.ts'

/** The weights of a recurrent layer: the rows of W, and then those of U. */
interface Recurrent {
  readonly features: number
  readonly units: number
  readonly panels: number
}

/**
 * Adds W·x or U·x to the sums of the gates `from` … `to` − 1, which lie at out + gate·lanes, of a
 * layer with so many gates.
 */
export function addProducts(
  ops: Ops,
  m: Memory,
  { features, units, panels }: Recurrent,
  matrix: 'kernel' | 'recurrentKernel',
  gates: number,
  from: number,
  to: number,
  x: number,
  out: number,
): void {
  // No pair of them: a step allocates nothing.
  const first = matrix === 'kernel' ? 0 : features
  const count = matrix === 'kernel' ? features : units
  addRows(ops, m, panels, features + units, units, first, count, gates, from, to, x, out)
}

/** The same for `count` of `rows` rows of panels. */
export function addRows(
  ops: Ops,
  m: Memory,
  panels: number,
  rows: number,
  units: number,
  first: number,
  count: number,
  gates: number,
  from: number,
  to: number,
  x: number,
  out: number,
): void {
  const lanes = padded(units)
  let panel = panels
  for (let u = 0; u < lanes; ) {
    const width = panelUnits(lanes - u, gates)
    const row = gates * width
    let w = panel + first * row
    for (const end = u + width; u < end; u += LANES, w += gates * LANES) {
      for (let gate = from; gate < to; gate++)
        ops.accumulate(m, out + gate * lanes + u, w + gate * LANES, row, x, count)
    }
    panel += rows * row
  }
}
