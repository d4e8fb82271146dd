/** Formats output for a terminal: tables, matrices, sparklines and colours. */

import { randomInt } from 'node:crypto'
import { styleText } from 'node:util'
import Table from 'cli-table3'
import { showNumber, visible } from '../data/index.ts'
import type { Tensor } from '../index.ts'
import type { Difference } from '../verify/index.ts'

type Style = Parameters<typeof styleText>[0]

/**
 * Stands in the codes of our own colours until they are printed. No file can know it, so the codes
 * in a name from a file are shown as text.
 */
const OURS = `;${randomInt(1000, 10_000)};${randomInt(1000, 10_000)}m`
const ourCodes = new RegExp(`(\\x1b\\[\\d+${OURS})`)

/** Colours text on a terminal, unless NO_COLOR is set (https://no-color.org). */
export function paint(style: Style, text: string): string {
  const wanted =
    process.stdout.isTTY && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb'
  if (!wanted) return visible(text)
  const [on, off] = styleText(style, ' ')
    .split(' ')
    .map((code) => code.slice(0, -1) + OURS)
  return on + visible(text) + off
}

export function heading(text: string): string {
  return paint('bold', text)
}

/** Lines on standard output; a blank one without arguments. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(`${forTerminal(lines.join('\n'))}\n`)
}

/** A message on standard error. */
export function complain(message: string): void {
  process.stderr.write(`gruv: ${forTerminal(message)}\n`)
}

function forTerminal(text: string): string {
  return text.split('\n').map(shown).join('\n').replaceAll(OURS, 'm')
}

/** Text whose control characters are visible, but for our colours. */
function shown(text: string): string {
  return text
    .split(ourCodes)
    .map((part, i) => (i % 2 === 1 ? part : visible(part)))
    .join('')
}

/** A table without rules: aligned in a terminal, readable in a pipe. */
export function columns(
  rows: readonly (readonly string[])[],
  head: readonly string[] = [],
  right: readonly number[] = [],
): string {
  const table = new Table({
    head: head.map((title) => paint('dim', title)),
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: Array.from({ length: rows[0]?.length ?? 0 }, (_, i) =>
      right.includes(i) ? 'right' : 'left',
    ),
  })
  table.push(...rows.map((row) => row.map(shown)))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Four decimals with a sign column: enough to see, short enough for a row of units. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const magnitude = Math.abs(value)
  const text =
    magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e5)
      ? value.toExponential(2)
      : value.toFixed(4)
  return value < 0 ? text : ` ${text}`
}

/** A matrix of more rows or columns is shown from both ends. */
const MOST_OF_MATRIX = 24

/**
 * A matrix or vector to four decimals, row by row.
 * @param all whether the middle of a large one is shown, too.
 */
export function matrix({ shape, data }: Tensor, all = false): string {
  const width = shape.at(-1) ?? 1
  const rows = ends(data.length / width, all)
  const places = ends(width, all)
  const cells = rows.map((r) =>
    places.map((c) =>
      r === null || c === null ? (c === null ? '…' : '⋮') : shortNumber(data[r * width + c]),
    ),
  )
  const widths = places.map((_, c) => cells.reduce((most, row) => Math.max(most, row[c].length), 0))
  return cells.map((row) => row.map((cell, c) => cell.padStart(widths[c])).join('  ')).join('\n')
}

/** The indices from 0 to before a count; null stands for the middle of many. */
function ends(count: number, all: boolean): readonly (number | null)[] {
  if (all || count <= MOST_OF_MATRIX) return Array.from({ length: count }, (_, i) => i)
  const half = MOST_OF_MATRIX / 2
  const [first, last] = [0, count - half].map((from) =>
    Array.from({ length: half }, (_, i) => from + i),
  )
  return [...first, null, ...last]
}

const MOST_ROWS = 24
const MOST_COLUMNS = 8

/** A sequence as a table: timesteps down, units across; the middle of a long one is left out. */
export function sequenceTable({ shape, data }: Tensor, overTime: boolean): string {
  const width = shape.at(-1)!
  const count = data.length / width
  const perRow = overTime && shape.length === 3 ? shape[1] : count
  const units = Math.min(width, MOST_COLUMNS)
  const label = (i: number): string => {
    if (!overTime) return count === 1 ? '' : `row ${i}`
    return shape.length === 3 ? `row ${Math.floor(i / perRow)}, t ${i % perRow}` : `t ${i}`
  }
  const lines: string[][] = []
  for (let i = 0; i < count; i++) {
    if (count > MOST_ROWS && i === MOST_ROWS / 2) {
      lines.push(['⋮', ...new Array<string>(units).fill('⋮')])
      i = count - MOST_ROWS / 2
    }
    const numbers = Array.from(data.subarray(i * width, i * width + units), shortNumber)
    lines.push([label(i), ...numbers, ...(width > units ? ['…'] : [])])
  }
  const head = [
    '',
    ...Array.from({ length: units }, (_, u) => `unit ${u}`),
    ...(width > units ? [`… ${width}`] : []),
  ]
  return columns(
    lines,
    head,
    Array.from({ length: units + 1 }, (_, i) => i),
  )
}

/** Rows for a pipe, with all digits: a line for each timestep, a blank line between sequences. */
export function plainRows({ shape, data }: Tensor): string {
  const float32 = data instanceof Float32Array
  const width = shape.at(-1)!
  const perSequence = shape.length === 3 ? shape[1] : Number.POSITIVE_INFINITY
  const lines: string[] = []
  for (let i = 0; i < data.length / width; i++) {
    if (i > 0 && i % perSequence === 0) lines.push('')
    lines.push(
      Array.from(data.subarray(i * width, (i + 1) * width), (value) =>
        showNumber(value, float32),
      ).join(' '),
    )
  }
  return lines.join('\n')
}

/** An error or a tolerance with three digits; a dash where nothing was compared. */
export function showError(value: number): string {
  if (Number.isNaN(value)) return '–'
  return value === 0 ? '0' : Number.isFinite(value) ? value.toExponential(2) : String(value)
}

/** `at row 1, timestep 5, unit 2: 0.5, expected 0.25`, without axes that the output lacks. */
export function showDifference({ at, actual, expected }: Difference): string {
  const axes = [
    ...(at.row === undefined ? [] : [`row ${at.row}`]),
    ...(at.timestep === undefined ? [] : [`timestep ${at.timestep}`]),
    `unit ${at.unit}`,
  ]
  return `at ${axes.join(', ')}: ${actual}, expected ${expected}`
}

const BARS = '▁▂▃▄▅▆▇█'

/**
 * Errors over time on a logarithmic scale. Columns out of tolerance are coloured and marked by a
 * caret, so that they can be seen without colour.
 */
export function errorPicture(overTime: Float64Array, tolerance: number, width = 64): string {
  const bins = Math.min(width, overTime.length)
  const heights = Array.from({ length: bins }, (_, bin) => {
    let largest = 0
    const from = Math.floor((bin * overTime.length) / bins)
    const to = Math.max(from + 1, Math.floor(((bin + 1) * overTime.length) / bins))
    for (let t = from; t < to; t++) largest = Math.max(largest, overTime[t])
    return largest
  })
  const finite = heights.filter((height) => height > 0 && Number.isFinite(height))
  const top = Math.log10(Math.max(...finite, tolerance, Number.MIN_VALUE))
  const bottom = Math.min(Math.log10(Math.min(...finite, tolerance) || Number.MIN_VALUE), top - 1)
  const bar = (height: number): string => {
    if (height === 0) return ' '
    if (!Number.isFinite(height)) return '█'
    const share = (Math.log10(height) - bottom) / (top - bottom)
    return BARS[Math.min(7, Math.max(0, Math.floor(share * 8)))]
  }
  const line = heights
    .map((height) => (height > tolerance ? paint('red', bar(height)) : bar(height)))
    .join('')
  const carets = heights
    .map((height) => (height > tolerance ? '^' : ' '))
    .join('')
    .trimEnd()
  return carets === '' ? `|${line}|` : `|${line}|\n ${carets} out of tolerance`
}
