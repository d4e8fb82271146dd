/** Draws heatmaps: numbers as coloured cells, with a colour bar. */

import { type Area, heading, SIZE, text, ticks, ticksBelow, WIDTH } from './axes.ts'
import { colourCells, type Ramp } from './colours.ts'
import { MOST_ROWS, reduceRows } from './gather.ts'
import { type Mark, type Scene, short } from './scene.ts'

export interface HeatmapOptions {
  readonly title: string
  readonly description: string
  /** [rows, columns] */
  readonly values: ArrayLike<number>
  readonly rows: number
  readonly columns: number
  readonly ramp: Ramp
  readonly range: readonly [low: number, high: number]
  /** The title of the rows, such as `unit`; and their names, if they are not numbered. */
  readonly down: string
  readonly rowNames?: readonly string[]
  /** The title of the columns and the numbers at their ends; null for no axis. */
  readonly across: { readonly title: string; readonly from: number; readonly to: number } | null
  readonly width?: number
  readonly reduce?: 'mean' | 'extreme'
  readonly legend?: boolean
  /** How the numbers of the colour bar are written. */
  readonly show?: (value: number) => string
}

const LEGEND = 96
/** The height of a row that has a name. */
const NAMED_ROW = 18
const ABOVE = 24
const BELOW = 36

/** Tall enough to see each of a few units, and not taller than a screen for many. */
function heightFor(rows: number): number {
  if (rows <= 16) return Math.max(rows * 13, 20)
  return Math.min(Math.max(210, rows * 4), 330)
}

export function heatmap(options: HeatmapOptions): Scene {
  const { title, description, rows, columns, ramp, range, across, width = WIDTH } = options
  const { legend = true, reduce = 'mean' } = options
  const reduced = reduceRows(options.values, rows, columns, MOST_ROWS, reduce)
  const names = options.rowNames
  const left = names === undefined ? 58 : 16 + 7 * Math.max(...names.map(({ length }) => length))
  const area: Area = {
    x: left,
    y: ABOVE,
    width: width - left - (legend ? LEGEND : 6),
    height: names === undefined ? heightFor(rows) : rows * NAMED_ROW,
  }
  const marks: Mark[] = [
    heading(left, 16, title),
    {
      kind: 'image',
      ...area,
      raster: colourCells(reduced.values, reduced.rows, columns, ramp, range),
    },
    { kind: 'frame', ...area },
    ...rowTicks(area, rows, options.down, names),
    ...(across === null ? [] : ticksBelow(area, [across.from, across.to], across.title, true)),
    ...(legend ? colourBar(area, ramp, range, options.show) : []),
  ]
  const height = area.y + area.height + (across === null ? 4 : BELOW)
  return { width, height, title, description, marks }
}

function rowTicks(
  { x, y, height }: Area,
  rows: number,
  title: string,
  names: readonly string[] | undefined,
): readonly Mark[] {
  const cell = height / rows
  const at = (row: number, words: string): Mark =>
    text(x - 7, y + (row + 0.5) * cell + 4, words, { anchor: 'end' })
  if (names !== undefined && cell >= 12) return names.map((name, row) => at(row, name))
  if (rows === 1) return []
  const numbers = cell >= 12 ? undefined : Math.max(1, Math.floor(height / 40))
  const shown =
    numbers === undefined
      ? Array.from({ length: rows }, (_, row) => row)
      : ticks(0, rows - 1, numbers).filter(Number.isInteger)
  return [
    ...shown.map((row) => at(row, String(row))),
    // In the corner above the numbers, where no text needs to be rotated.
    text(x - 7, y - 8, title, { anchor: 'end' }),
  ]
}

function colourBar(
  { x, y, width, height }: Area,
  ramp: Ramp,
  [low, high]: readonly [number, number],
  show: (value: number) => string = short,
): readonly Mark[] {
  const steps = 64
  const tall = Math.min(Math.max(height, 52), 150)
  const values = Float64Array.from({ length: steps }, (_, i) => 1 - i / (steps - 1))
  const bar: Area = { x: x + width + 16, y, width: 12, height: tall }
  const label = (share: number, value: number): Mark =>
    text(bar.x + 18, y + (1 - share) * (tall - SIZE.label) + 10, show(value))
  return [
    { kind: 'image', ...bar, raster: colourCells(values, steps, 1, ramp, [0, 1]) },
    { kind: 'frame', ...bar },
    label(1, high),
    label(0.5, (low + high) / 2),
    label(0, low),
  ]
}

/** A range with zero in the middle, so that the middle colour means zero. */
export function symmetric(values: Iterable<number>): readonly [number, number] {
  let largest = 0
  for (const value of values)
    if (Number.isFinite(value) && Math.abs(value) > largest) largest = Math.abs(value)
  return largest === 0 ? [-1, 1] : [-largest, largest]
}
