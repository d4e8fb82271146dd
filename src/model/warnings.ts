/** What is odd about a node's numbers, told before anybody trusts them. */

import { weightsOf } from './layers.ts'
import type { LayerNode } from './types.ts'

const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** A sentence for each thing in a node's weights that a healthy training rarely leaves behind. */
export function weightWarnings(node: LayerNode): readonly string[] {
  const warnings: string[] = []
  for (const [name, { data }] of Object.entries(weightsOf(node))) {
    // Typed arrays find a number faster than a loop does.
    if (!specials.some((special) => data.includes(special))) continue
    let bad = 0
    let first = -1
    for (let i = 0; i < data.length; i++) {
      if (Number.isFinite(data[i])) continue
      bad++
      if (first < 0) first = i
    }
    const what = Number.isNaN(data[first]) ? 'NaN' : String(data[first])
    warnings.push(
      `${node.name}: ${bad} of ${data.length} numbers in ${name} are not finite (the first, ${what}, at index ${first}): whatever they touch is lost`,
    )
  }
  return warnings
}
