/** Reads a trace once: statistics over all rows, and the values of one row for pictures. */

import type { Model } from '../model/types.ts'
import type { Named, TensorLike } from '../tensor.ts'
import {
  GatherStatistics,
  type LayerStatistics,
  rolesOf,
  type TraceChunk,
  type TracedLayer,
  type TraceOptions,
  trace,
} from '../trace/index.ts'

/** Columns of a picture. Longer traces are averaged, so memory does not depend on their length. */
export const MOST_COLUMNS = 720
/** Rows of a picture. In wider layers, neighbouring units are averaged. */
export const MOST_ROWS = 256

/** A value over time: mean, minimum and maximum, each [rows, columns]. */
export interface Columns {
  readonly mean: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
}

export interface GatheredLayer {
  readonly layer: TracedLayer
  /** The row of the batch that the columns are of. */
  readonly row: number
  readonly statistics: LayerStatistics
  readonly columns: number
  /** Timesteps in a column; the last column may have fewer. */
  readonly perColumn: number
  /** Gates, candidate and states, each [units, columns]. */
  readonly values: Named<Columns>
}

export interface GatherOptions extends TraceOptions {
  /** The row of the batch that pictures show; default 0. */
  readonly row?: number
  /** Told the share of the steps that are traced, from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

export function gather(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  { row = 0, onProgress, ...options }: GatherOptions,
): readonly GatheredLayer[] {
  const traced = trace(model, x, options)
  const gathering = new Map(
    traced.layers.map((layer) => [
      layer.name,
      { statistics: new GatherStatistics(model, layer), columns: new GatherColumns(layer) },
    ]),
  )
  const all = traced.layers.reduce((sum, { rows, steps }) => sum + rows * steps, 0)
  let done = 0
  for (const chunk of traced) {
    done += chunk.steps
    onProgress?.(done / all)
    const { statistics, columns } = gathering.get(chunk.layer)!
    statistics.add(chunk)
    if (chunk.row === row) columns.add(chunk)
  }
  return traced.layers.map((layer) => {
    const { statistics, columns } = gathering.get(layer.name)!
    return { layer, row, statistics: statistics.result(), ...columns.result() }
  })
}

/** The values that pictures show, in the order of computing. */
function shownValues({ kind }: Pick<TracedLayer, 'kind'>): readonly string[] {
  const { gates, candidate, states } = rolesOf({ kind })
  return [...gates, ...(candidate === null ? [] : [candidate]), ...states]
}

class GatherColumns {
  private readonly layer: TracedLayer
  private readonly columns: number
  private readonly perColumn: number
  private readonly values: Named<Columns & { readonly count: Float64Array }>

  constructor(layer: TracedLayer) {
    this.layer = layer
    this.perColumn = Math.ceil(layer.steps / MOST_COLUMNS)
    this.columns = Math.ceil(layer.steps / this.perColumn)
    const size = layer.units * this.columns
    this.values = Object.fromEntries(
      shownValues(layer).map((name) => [
        name,
        {
          mean: new Float64Array(size),
          min: new Float64Array(size).fill(Number.POSITIVE_INFINITY),
          max: new Float64Array(size).fill(Number.NEGATIVE_INFINITY),
          count: new Float64Array(size),
        },
      ]),
    )
  }

  add({ first, steps, values }: TraceChunk): void {
    const { units, first: begin } = this.layer
    for (const [name, { mean, min, max, count }] of Object.entries(this.values)) {
      const numbers = values[name]
      for (let t = 0; t < steps; t++) {
        const column = Math.floor((first + t - begin) / this.perColumn)
        for (let u = 0; u < units; u++) {
          const value = numbers[t * units + u]
          // Masked steps have no gates.
          if (Number.isNaN(value)) continue
          const at = u * this.columns + column
          mean[at] += value
          count[at]++
          if (value < min[at]) min[at] = value
          if (value > max[at]) max[at] = value
        }
      }
    }
  }

  result(): Pick<GatheredLayer, 'columns' | 'perColumn' | 'values'> {
    const { columns, perColumn } = this
    const values = Object.entries(this.values).map(([name, { mean, min, max, count }]) => {
      const divided = mean.map((sum, i) => (count[i] === 0 ? Number.NaN : sum / count[i]))
      return [name, { mean: divided, min, max }] as const
    })
    return {
      columns,
      perColumn,
      values: Object.fromEntries(values),
    }
  }
}

/** A sentence that says what the rows and columns of a picture are, and what it leaves out. */
export function captionOf({ perColumn, layer, row }: GatheredLayer): string {
  const down =
    layer.units > MOST_ROWS
      ? `${MOST_ROWS} rows of neighbouring units, averaged`
      : 'Each row a unit'
  const across =
    perColumn === 1
      ? 'each column a timestep'
      : `each column the mean of up to ${perColumn.toLocaleString('en')} timesteps`
  return `${down}, ${across}${layer.rows > 1 ? `; row ${row} of the ${layer.rows} in the batch` : ''}.`
}

/** [rows, columns] with at most `most` rows: neighbouring rows are reduced to one. */
export function reduceRows(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  most: number,
  reduce: 'mean' | 'extreme',
): { readonly rows: number; readonly values: ArrayLike<number> } {
  if (rows <= most) return { rows, values }
  const reduced = new Float64Array(most * columns)
  for (let to = 0; to < most; to++) {
    const [begin, end] = [Math.floor((to * rows) / most), Math.floor(((to + 1) * rows) / most)]
    for (let column = 0; column < columns; column++) {
      let result = 0
      for (let row = begin; row < end; row++) {
        const value = values[row * columns + column]
        if (reduce === 'mean') result += value / (end - begin)
        else if (!(Math.abs(value) <= Math.abs(result))) result = value
      }
      reduced[to * columns + column] = result
    }
  }
  return { rows: most, values: reduced }
}
