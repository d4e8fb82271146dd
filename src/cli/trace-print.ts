/** Traces on a terminal: heatmaps of shades, sparklines, and what the statistics say. */

import type { Model, Named, Tensor } from '../index.ts'
import {
  describeStatistics,
  GatherStatistics,
  type LayerStatistics,
  type ModelComparison,
  rolesOf,
  statistics,
  type TracedLayer,
  type TraceOptions,
  timesteps,
  titleOf,
  trace,
} from '../trace/index.ts'
import { columns, heading, print } from './render.ts'

const WIDTH = 64
const MOST_ROWS = 16
/** From 0 to 1, readable without colour. */
const SHADES = ' ░▒▓█'
const BARS = '▁▂▃▄▅▆▇█'

export function printTrace(
  model: Model,
  input: Named<Tensor>,
  { row, ...options }: TraceOptions & { readonly row: number },
): void {
  const traced = trace(model, input, options)
  const looking = new Map(
    traced.layers.map((layer) => [
      layer.name,
      { gathered: new GatherStatistics(model, layer), picture: new Picture(layer) },
    ]),
  )
  for (const chunk of traced) {
    const { gathered, picture } = looking.get(chunk.layer)!
    gathered.add(chunk)
    if (chunk.row === row)
      for (let t = 0; t < chunk.steps; t++) picture.add(chunk.values, t, chunk.first + t)
  }
  for (const layer of traced.layers) {
    const { gathered, picture } = looking.get(layer.name)!
    const found = gathered.result()
    const { name, kind, units, rows, first, steps } = layer
    const where = `timesteps ${first} to ${first + steps - 1}${rows > 1 ? `, row ${row} of ${rows}` : ''}`
    print(`${heading(name)}  ${kind} of ${units} units, ${where}`)
    for (const sentence of describeStatistics(found)) print(`  ${sentence}`)
    for (const gate of rolesOf(layer).gates) {
      print()
      print(
        `${heading(titleOf(gate))}  0 ${[...SHADES].map((each) => `'${each}'`).join(' ')} 1, each row a unit`,
      )
      print(picture.shades(gate))
    }
    print()
    print(`${heading(titleOf('h'))}  each unit from its lowest to its highest`)
    print(picture.sparklines(found))
    if (picture.left > 0) print(`  … and ${picture.left} more units; --output look.html shows all`)
    print()
  }
}

/** Means over time in as many columns as a line has. */
class Picture {
  readonly left: number
  private readonly layer: TracedLayer
  private readonly columns: number
  private readonly rows: number
  private readonly sums: Named<Float64Array>
  private readonly counts: Named<Float64Array>

  constructor(layer: TracedLayer) {
    this.layer = layer
    this.columns = Math.min(WIDTH, layer.steps)
    this.rows = Math.min(MOST_ROWS, layer.units)
    this.left = layer.units - this.rows
    const names = [...rolesOf(layer).gates, 'h']
    const empty = () =>
      Object.fromEntries(names.map((name) => [name, new Float64Array(this.rows * this.columns)]))
    this.sums = empty()
    this.counts = empty()
  }

  add(values: Named<Float64Array>, from: number, t: number): void {
    const { first, steps, units } = this.layer
    const column = Math.floor(((t - first) * this.columns) / steps)
    for (const [name, sums] of Object.entries(this.sums)) {
      for (let u = 0; u < this.rows; u++) {
        const value = values[name][from * units + u]
        if (Number.isNaN(value)) continue
        sums[u * this.columns + column] += value
        this.counts[name][u * this.columns + column]++
      }
    }
  }

  shades(name: string): string {
    return this.lines((u) =>
      this.row(name, u, (value) => SHADES[Math.min(4, Math.max(0, Math.floor(value * 5)))]),
    )
  }

  sparklines({ state, memory }: LayerStatistics): string {
    return this.lines((u) => {
      const [low, high] = [state.min[u], state.max[u]]
      const line = this.row('h', u, (value) => {
        const share = high > low ? (value - low) / (high - low) : 0
        return BARS[Math.min(7, Math.max(0, Math.floor(share * 8)))]
      })
      const range = `${low.toFixed(2)} … ${high.toFixed(2)}`
      return `${line} ${range.padStart(15)}${memory === null ? '' : `  remembers ${timesteps(memory[u])}`}`
    })
  }

  private row(name: string, u: number, show: (value: number) => string): string {
    return Array.from({ length: this.columns }, (_, column) => {
      const at = u * this.columns + column
      const count = this.counts[name][at]
      // Masked steps have no gate.
      return count === 0 ? '·' : show(this.sums[name][at] / count)
    }).join('')
  }

  private lines(line: (u: number) => string): string {
    return columns(
      Array.from({ length: this.rows }, (_, u) => [`  ${u}`, `|${line(u)}`]),
      [],
      [0],
    )
  }
}

/** Plain data; a memory without end is null, as JSON has no infinity. */
export function statisticsAsJson(
  model: Model,
  input: Named<Tensor>,
  options: TraceOptions,
  comparison: ModelComparison | undefined,
): object {
  const layers = statistics(model, trace(model, input, options)).map((layer) => ({
    ...layer,
    words: describeStatistics(layer),
  }))
  return { layers, ...(comparison && { comparison }) }
}
