/** Prints traces on a terminal: heatmaps of shades, sparklines and statistics. */

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
import { fitted, terminalWidth } from './terminal.ts'

const MOST_ROWS = 16
/** From the lowest to the highest fifth of a range, so that no colour is needed. */
const SHADES = ' ░▒▓█'
const BARS = '▁▂▃▄▅▆▇█'
/** The widths of the columns after a state: its range and its memory. */
const [RANGE, MEMORY] = [15, 10]
/** The narrowest terminal with room for these columns. */
const ROOMY = 60

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
    printLayer(layer, gathered.result(), picture, row)
  }
}

function printLayer(
  layer: TracedLayer,
  found: LayerStatistics,
  picture: Picture,
  row: number,
): void {
  const { name, kind, units, rows, first, steps } = layer
  const where = `timesteps ${first} to ${first + steps - 1}${rows > 1 ? `, row ${row} of ${rows}` : ''}`
  print(`${heading(name)}  ${kind} of ${units} units, ${where}`)
  for (const sentence of describeStatistics(found)) print(fitted(sentence))
  print()
  const masked = found.skipped > 0 ? '; · is a step without gates' : ''
  print(fitted(`${picture.explained}${masked}.`))
  const { gates, candidate } = rolesOf(layer)
  for (const gate of gates) {
    print('', `${heading(titleOf(gate))}  from 0 to 1`)
    print(picture.shades(gate, [0, 1]))
  }
  if (candidate !== null) {
    const { min, max } = found.candidate!
    const reach = Math.max(1, ...max, ...min.map((each) => -each))
    const shown = Number(reach.toPrecision(2))
    print('', `${heading(titleOf(candidate))}  from −${shown} to ${shown}`)
    print(picture.shades(candidate, [-reach, reach]))
  }
  print(
    '',
    `${heading(titleOf('h'))}  each unit from its lowest to its highest${picture.behind(found)}`,
  )
  print(picture.sparklines(found))
  if (picture.left > 0) print(`  … and ${picture.left} more units; --output look.html shows all`)
  print()
}

/** The values of one layer, averaged over time into the columns of a line. */
class Picture {
  readonly left: number
  /** A sentence that explains rows, columns and shades. */
  readonly explained: string
  private readonly layer: TracedLayer
  private readonly columns: number
  private readonly perColumn: number
  private readonly rows: number
  private readonly roomy: boolean
  private readonly sums: Named<Float64Array>
  private readonly counts: Named<Float64Array>

  constructor(layer: TracedLayer) {
    const width = terminalWidth()
    this.layer = layer
    this.rows = Math.min(MOST_ROWS, layer.units)
    this.left = layer.units - this.rows
    this.roomy = width >= ROOMY
    const room = width - '  15  |'.length - (this.roomy ? RANGE + MEMORY : 1)
    this.perColumn = Math.ceil(layer.steps / room)
    this.columns = Math.ceil(layer.steps / this.perColumn)
    const across = this.perColumn === 1 ? 'a timestep' : `the mean of ${this.perColumn} timesteps`
    const shades = [...SHADES].map((shade) => (shade === ' ' ? 'blank' : shade)).join(' ')
    this.explained = `Each row a unit, each column ${across}. Shades from low to high: ${shades}`
    const names = [...rolesOf(layer).gates, rolesOf(layer).candidate, 'h'].filter(
      (name) => name !== null,
    )
    const empty = () =>
      Object.fromEntries(names.map((name) => [name, new Float64Array(this.rows * this.columns)]))
    this.sums = empty()
    this.counts = empty()
  }

  add(values: Named<Float64Array>, from: number, t: number): void {
    const { first, units } = this.layer
    const column = Math.floor((t - first) / this.perColumn)
    for (const [name, sums] of Object.entries(this.sums)) {
      for (let u = 0; u < this.rows; u++) {
        const value = values[name][from * units + u]
        if (Number.isNaN(value)) continue
        sums[u * this.columns + column] += value
        this.counts[name][u * this.columns + column]++
      }
    }
  }

  shades(name: string, [low, high]: readonly [number, number]): string {
    return this.lines((u) =>
      this.row(name, u, (value) => {
        const fifth = Math.floor(((value - low) / (high - low)) * SHADES.length)
        return SHADES[Math.min(SHADES.length - 1, Math.max(0, fifth))]
      }),
    )
  }

  sparklines({ state, memory }: LayerStatistics): string {
    return this.lines((u) => {
      const [low, high] = [state.min[u], state.max[u]]
      const line = this.row('h', u, (value) => {
        const share = high > low ? (value - low) / (high - low) : 0
        return BARS[Math.min(7, Math.max(0, Math.floor(share * 8)))]
      })
      if (!this.roomy) return line
      const range = `${signed(low)} … ${signed(high)}`.padStart(RANGE)
      return `${line}${range}${memory === null ? '' : `  ${timesteps(memory[u]).replace(/ timesteps?$/, '')}`}`
    })
  }

  /** The title of the columns after the states. */
  behind({ memory }: LayerStatistics): string {
    if (!this.roomy) return ''
    return memory === null ? ' (given)' : ' (given, then its memory in timesteps)'
  }

  private row(name: string, u: number, show: (value: number) => string): string {
    return Array.from({ length: this.columns }, (_, column) => {
      const at = u * this.columns + column
      const count = this.counts[name][at]
      // Masked steps have no gate.
      return count === 0 ? '·' : show(this.sums[name][at] / count)
    }).join('')
  }

  /** A line for each unit, and the first and the last timestep below. */
  private lines(line: (u: number) => string): string {
    const { first, steps } = this.layer
    const last = String(first + steps - 1)
    const space = this.columns - String(first).length
    const times = space > last.length ? `${first}${last.padStart(space)}` : String(first)
    return columns(
      [
        ...Array.from({ length: this.rows }, (_, u) => [`  ${u}`, `|${line(u)}`]),
        ['  t', ` ${times}`],
      ],
      [],
      [0],
    )
  }
}

function signed(value: number): string {
  return value.toFixed(2).replace('-', '−')
}

/** As plain data; JSON has no infinity, so an infinite memory becomes null. */
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
