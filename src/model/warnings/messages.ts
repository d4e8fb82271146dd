/** Says in words what is odd about a model's weights. */

import { USUAL } from './ranges.ts'
import { CONSTANT, type Saturation } from './saturation.ts'
import type { NonFinite } from './weights.ts'

const gates: Readonly<Record<string, string>> = {
  z: 'update gate',
  r: 'reset gate',
  i: 'input gate',
  f: 'forget gate',
  o: 'output gate',
}

/** What healthy training rarely leaves behind, before it is said in words. */
export interface Oddities {
  readonly saturation: readonly Saturation[]
  readonly narrow: readonly string[]
  readonly nonFinite: readonly NonFinite[]
}

export function describeOddities({ saturation, narrow, nonFinite }: Oddities): readonly string[] {
  return [
    ...saturation.map(describeSaturation),
    ...narrow.map(describeNarrow),
    ...nonFinite.map(describeNonFinite),
  ]
}

function describeSaturation({ node, gate, units, of, dead, always }: Saturation): string {
  const one = units.length === 1
  const when = always ? 'whatever arrives' : `for all inputs within ±${USUAL}`
  if (gate !== null)
    return `${node}: the ${gates[gate]} of ${units.length} of ${of} units is saturated (${one ? 'unit' : 'units'} ${list(units)}): it moves by less than ${CONSTANT} ${when}`
  const what = `${node}: ${units.length} of ${of} units ${one ? 'is' : 'are'}`
  return dead
    ? `${what} dead (${list(units)}): they give the same ${when}`
    : `${what} saturated (${list(units)}): they move by less than ${CONSTANT} ${when}`
}

function describeNarrow(dtype: string): string {
  return `weights are stored in ${dtype}: they have few digits`
}

function describeNonFinite({ node, array, data }: NonFinite): string {
  const bad = Array.from(data, (_, i) => i).filter((i) => !Number.isFinite(data[i]))
  const [first] = bad
  const what = Number.isNaN(data[first]) ? 'NaN' : String(data[first])
  return `${node}: ${bad.length} of ${data.length} numbers in ${array} are not finite (the first, ${what}, at index ${first}): whatever they touch is lost`
}

/** Units that a message lists. */
const LISTED = 6

function list(units: readonly number[]): string {
  const shown = units.slice(0, LISTED).join(', ')
  return units.length > LISTED ? `${shown}, …` : shown
}
