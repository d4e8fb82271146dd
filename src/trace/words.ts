/** Writes the statistics of a layer as sentences. */

import type { GateStatistics, LayerStatistics, StatisticsScope } from './statistics.ts'

/** Titles of the values of a trace. */
const gateNames: Readonly<Record<string, string>> = {
  z: 'update gate z',
  r: 'reset gate r',
  i: 'input gate i',
  f: 'forget gate f',
  o: 'output gate o',
  n: 'candidate n',
  g: 'candidate g',
  h: 'state h',
  c: 'cell c',
}

/** `update gate z` for z, and so on; the name itself for projections. */
export function titleOf(value: string): string {
  return gateNames[value] ?? value
}

/** The statistics of a layer, one sentence each. */
export function describeStatistics(layer: LayerStatistics): readonly string[] {
  const { gates, candidate, memory, dead, duplicates, units, steps, skipped, scope } = layer
  if (steps === 0) return ['No step of this layer was computed: all are masked or not numbers.']
  const sentences: string[] = [`All figures are over ${inWords(scope)}.`]
  for (const [gate, numbers] of Object.entries(gates)) {
    const [left, right] = [average(numbers.left), average(numbers.right)]
    sentences.push(
      `The ${titleOf(gate)} is below 0.1 in ${percent(left)} and above 0.9 in ${percent(right)} of the steps (mean ${average(numbers.mean).toFixed(2)})${stuck(numbers)}.`,
    )
  }
  if (memory !== null) {
    const sorted = [...memory].sort((a, b) => a - b)
    const [middle, longest] = [sorted[Math.floor(sorted.length / 2)], sorted[sorted.length - 1]]
    const most =
      middle === Number.POSITIVE_INFINITY
        ? 'Half of the units forget nothing'
        : `Half of the units remember for ${timesteps(middle)} or longer`
    sentences.push(
      `${most}; the shortest memory is ${lasting(sorted[0])}, the longest ${lasting(longest)} (unit ${memory.indexOf(longest)}).`,
    )
  }
  if (candidate !== null) {
    const { name, activity } = candidate
    sentences.push(
      `The ${titleOf(name)} has an average size |${name}| of ${average(activity).toFixed(2)}.`,
    )
  }
  if (layer.kind === 'rnn')
    sentences.push(
      `The state h lies between ${Math.min(...layer.state.min).toFixed(2)} and ${Math.max(...layer.state.max).toFixed(2)}, ${average(layer.state.mean).toFixed(2)} on average.`.replaceAll(
        '-',
        '−',
      ),
    )
  if (dead.length > 0) {
    const them = list(dead, units)
    const stay = dead.length === 1 ? 'stays where it is' : 'stay where they are'
    sentences.push(`${them[0].toUpperCase()}${them.slice(1)} ${stay}: dead on this input.`)
  } else if (steps > 1) sentences.push('Every unit moves: none is dead on this input.')
  if (duplicates.length > 0) {
    const pairs = duplicates
      .slice(0, 4)
      .map(
        ({ unit, of, correlation }) => `${unit} ${correlation < 0 ? 'mirrors' : 'repeats'} ${of}`,
      )
    const more = duplicates.length > 4 ? ` and ${duplicates.length - 4} more` : ''
    sentences.push(`Units that say the same: ${pairs.join(', ')}${more}.`)
  }
  if (skipped > 0)
    sentences.push(
      `${skipped.toLocaleString('en')} steps are masked or not numbers; they are left out.`,
    )
  return sentences
}

/** `rows 0 to 3, timesteps 0 to 59`. */
function inWords({ rows, timesteps }: StatisticsScope): string {
  const span = (what: string, [first, last]: readonly [number, number]): string =>
    first === last ? `${what} ${first}` : `${what}s ${first} to ${last}`
  return `${span('row', rows)}, ${span('timestep', timesteps)}`
}

/** Units whose gate is saturated on one side at every step. */
function stuck({ left, right }: GateStatistics): string {
  const shut = left.flatMap((share, u) => (share === 1 ? [u] : []))
  const open = right.flatMap((share, u) => (share === 1 ? [u] : []))
  const parts = [
    ...(shut.length > 0 ? [`${list(shut, left.length)} always below`] : []),
    ...(open.length > 0 ? [`${list(open, left.length)} always above`] : []),
  ]
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`
}

function list(units: readonly number[], all: number): string {
  if (units.length === all) return 'all units'
  const shown = units.slice(0, 6).join(', ')
  const more = units.length > 6 ? ` and ${units.length - 6} more` : ''
  return `unit${units.length === 1 ? '' : 's'} ${shown}${more}`
}

function percent(share: number): string {
  if (share > 0 && share < 0.0005) return 'less than 0.1 %'
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`
}

function lasting(memory: number): string {
  return memory === Number.POSITIVE_INFINITY ? 'without end' : timesteps(memory)
}

/** `12.3 timesteps`, or words where the memory has no end. */
export function timesteps(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'for ever'
  if (value >= 1e6) return 'more than a million timesteps'
  const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)
  return `${shown} timestep${shown === '1.0' ? '' : 's'}`
}

function average(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length
}
