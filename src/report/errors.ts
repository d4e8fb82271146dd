/** Draws errors against a reference, and differences from another model. */

import { type LayerComparison, titleOf } from '../trace/index.ts'
import type { OutputVerdict } from '../verify/index.ts'
import { showDecade } from './axes.ts'
import { logLine } from './charts.ts'
import { MOST_COLUMNS } from './gather.ts'
import { heatmap } from './heatmap.ts'
import { type Scene, short } from './scene.ts'

/** The largest error at each timestep, and the tolerance. */
export function errorPlot(name: string, verdict: OutputVerdict): Scene {
  const { overTime, tolerance, maxAbsolute } = verdict
  const { per, largest } = inColumns(overTime)
  const zero = maxAbsolute === 0
  return logLine(
    {
      title: `Largest error of ${name} at each timestep`,
      description: zero
        ? 'Every number is the expected one.'
        : `A line on a logarithmic scale over ${overTime.length} timesteps; the largest error is ${maxAbsolute.toExponential(2)}, the tolerance ${tolerance.largest.toExponential(2)}.`,
    },
    largest,
    {
      title: `timestep${per > 1 ? ` (a column: the largest of ${per})` : ''}${zero ? ': no error anywhere' : ''}`,
      from: 0,
      to: largest.length * per,
    },
    tolerance.largest > 0 ? { value: tolerance.largest, name: 'tolerance' } : null,
  )
}

/** Where two models differ and by how much: a row for each value, in the order of computing. */
export function differencePlot({ layer, from, values }: LayerComparison, tolerance: number): Scene {
  const rows = values.map(({ overTime }) => inColumns(overTime))
  const [{ per, largest }] = rows
  const columns = largest.length
  const logs = rows.flatMap((row) =>
    Array.from(row.largest, (each) => (each > tolerance ? Math.log10(each) : Number.NaN)),
  )
  const finite = logs.filter(Number.isFinite)
  const high = Math.ceil(finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY))
  const least = Math.floor(tolerance > 0 ? Math.log10(tolerance) : Math.min(...finite))
  // The middle of the colour bar should be a power of ten as well.
  const low = high - 2 * Math.max(1, Math.ceil((high - least) / 2))
  const words = values.map(({ value, largest, first }) =>
    first === null
      ? `${titleOf(value)} never differs`
      : `${titleOf(value)} differs from t = ${first.timestep} on, by up to ${short(largest)}`,
  )
  return heatmap({
    title: `Differences in ${layer}, on a logarithmic scale`,
    description: `${words.join('; ')}.`,
    values: logs,
    rows: rows.length,
    columns,
    ramp: 'sequential',
    range: [low, high],
    show: showDecade,
    down: 'value',
    rowNames: values.map(({ value }) => value),
    across: {
      title: `timestep${per > 1 ? ` (a column: the largest of ${per})` : ''}`,
      from,
      to: from + columns * per,
    },
  })
}

/** The largest error in each column, where there are more timesteps than columns. */
function inColumns(overTime: Float64Array): {
  readonly per: number
  readonly largest: Float64Array
} {
  const per = Math.ceil(overTime.length / MOST_COLUMNS)
  const largest = new Float64Array(Math.ceil(overTime.length / per))
  overTime.forEach((error, t) => {
    const column = Math.floor(t / per)
    if (!(error <= largest[column])) largest[column] = error
  })
  return { per, largest }
}
