/** Products of a recurrent layer's weights with vectors, by the panels in which they lie. */

import { type Panels, panelUnits } from '../layers/panels.ts'
import { LANES, padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'

/** Which of a panel's rows: those of W or of U. */
type Matrix = 'kernel' | 'recurrentKernel'

/**
 * Adds W·x or U·x to the sums of the gates `from` … `to` − 1, which lie at out + gate·lanes, of a
 * layer with so many gates.
 */
export function addProducts(
  ops: Ops,
  m: Memory,
  { features, units, panels }: Panels,
  matrix: Matrix,
  gates: number,
  from: number,
  to: number,
  x: number,
  out: number,
): void {
  const lanes = padded(units)
  const count = matrix === 'kernel' ? features : units
  let panel = panels
  for (let u = 0; u < lanes; ) {
    const width = panelUnits(lanes - u, gates)
    const row = gates * width
    let w = matrix === 'kernel' ? panel : panel + features * row
    for (const end = u + width; u < end; u += LANES, w += gates * LANES) {
      for (let gate = from; gate < to; gate++)
        ops.accumulate(m, out + gate * lanes + u, w + gate * LANES, row, x, count)
    }
    panel += (features + units) * row
  }
}
