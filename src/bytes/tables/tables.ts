/**
 * Reads and writes tables of numbers as text: CSV, TSV, and columns between blanks. The rules are
 * those of `numpy.genfromtxt`, except that a field that is neither a number nor a missing value is
 * an error here and NaN there.
 */

import { GruvError, isGruvError } from '../../errors.ts'
import { showShape, sizeOf, type Tensor, toTensor } from '../../tensor.ts'
import { noDigits, showNumber } from '../numbers/decimal.ts'
import { NumberList } from '../numbers/number-list.ts'
import { quote } from '../show.ts'
import { eachLine, firstLines } from '../text.ts'
import {
  type Delimiter,
  detectDelimiter,
  fieldsOrNone,
  isHeaderRow,
  isMissing,
  isText,
  parseField,
  splitFields,
} from './row.ts'

/** [rows, columns], dtype `text`, with the digits printed. */
export interface Table extends Tensor {
  /** The names in a header row; null when there is none. */
  readonly columns: readonly string[] | null
  /** Columns of text, which the table does not hold: their names, or `column 1`. */
  readonly leftOut: readonly string[]
  readonly lines: LineNumbers
  readonly delimiter: Delimiter
}

/** Rows and the lines that they stand in, wherever a row is not in the line after the one before. */
export type LineNumbers = readonly { readonly row: number; readonly line: number }[]

export interface TableOptions {
  /** Named in messages, before line and column. */
  readonly where?: string
  /** Takes the error of a row, which is then left out. */
  readonly onError?: ((error: GruvError) => void) | undefined
}

/**
 * A whole table. `#` begins a comment; blank lines are skipped; a first row without any number is a
 * header (so names that are numbers are taken for data); empty fields, NA, N/A, null and None are
 * NaN; quotes around fields are removed; a column without any number, such as dates, is left out.
 * @throws GruvError `bad-file` for a field that is no number, with line and column; for rows of
 *   different length, with the line; for a table without rows.
 */
export function readTable(text: string, options: TableOptions = {}): Table {
  const delimiter = detectDelimiter(firstLines(text, 2))
  return readRows(text, delimiter, options, null)
}

/** @param textColumns null until a text is found where a number should be. */
function readRows(
  text: string,
  delimiter: Delimiter,
  options: TableOptions,
  textColumns: ReadonlySet<number> | null,
): Table {
  const { where, onError } = options
  const printed = noDigits()
  const numbers = new NumberList()
  const lines: { row: number; line: number }[] = []
  let header: readonly string[] | null = null
  let first: { readonly width: number; readonly line: number } | null = null
  let rows = 0
  let before = Number.NaN
  const errors: GruvError[] = []
  for (const { line, number } of eachLine(text)) {
    const place = where === undefined ? `line ${number}` : `${where}: line ${number}`
    try {
      const fields = splitFields(line, delimiter, place)
      if (fields.length === 0) continue
      const isHeader = rows === 0 && header === null && isHeaderRow(fields)
      // Between blanks the width of a header does not count: its names may contain blanks.
      if (!isHeader || delimiter !== ' ') first ??= { width: fields.length, line: number }
      if (first !== null && fields.length !== first.width) {
        throw new GruvError('bad-file', 'the rows have different lengths', {
          where: place,
          expected: `${first.width} fields, as in line ${first.line}`,
          got: `${fields.length}`,
        })
      }
      if (isHeader) {
        header = fields
        continue
      }
      if (textColumns === null && fields.some(isText)) {
        return readRows(text, delimiter, options, findTextColumns(text, delimiter, fields.length))
      }
      const row: number[] = []
      for (let c = 0; c < fields.length; c++) {
        if (!textColumns?.has(c)) row.push(parseField(fields[c], c, printed, place, delimiter))
      }
      for (const value of row) numbers.push(value)
    } catch (error) {
      if (onError === undefined || !isGruvError(error)) throw error
      errors.push(error)
      continue
    }
    if (number !== before + 1) lines.push({ row: rows, line: number })
    before = number
    rows++
  }
  // Not before: reading may have begun anew.
  for (const error of errors) onError?.(error)
  if (first === null || rows === 0) {
    throw new GruvError('bad-file', 'the table has no rows', {
      ...(where !== undefined && { where }),
      expected: 'rows of numbers',
      got: header === null ? 'blank lines and comments' : `a header: ${quote(header.join(' '))}`,
    })
  }
  const { width } = first
  const names = header?.length === width ? header : null
  const left = textColumns ?? new Set<number>()
  return {
    shape: [rows, width - left.size],
    data: numbers.toArray(),
    dtype: 'text',
    printed,
    columns: names?.filter((_, c) => !left.has(c)) ?? null,
    leftOut: Array.from(left, (c) => names?.[c] ?? `column ${c + 1}`),
    lines,
    delimiter,
  }
}

/** The columns that have texts and no number; none if that would leave no column. */
function findTextColumns(text: string, delimiter: Delimiter, width: number): ReadonlySet<number> {
  const texts = new Set<number>()
  const numeric = new Set<number>()
  let isFirst = true
  for (const { line } of eachLine(text)) {
    const fields = fieldsOrNone(line, delimiter)
    if (fields.length !== width || (isFirst && isHeaderRow(fields))) continue
    isFirst = false
    for (let c = 0; c < width; c++) {
      if (isText(fields[c])) texts.add(c)
      else if (!isMissing(fields[c])) numeric.add(c)
    }
  }
  const left = Array.from(texts)
    .filter((c) => !numeric.has(c))
    .sort((a, b) => a - b)
  return new Set(left.length < width ? left : [])
}

/**
 * One line per row, one column for a vector; every number with as few digits as give it back in
 * the precision of the data.
 * @throws GruvError `bad-shape` for more than two axes, and for tables without rows or columns.
 */
export function writeTable(tensor: Tensor, delimiter: Delimiter): string {
  const { shape, data } = toTensor(tensor, 'tensor')
  if (shape.length > 2 || sizeOf(shape) === 0) {
    throw new GruvError('bad-shape', 'a table of text cannot hold this', {
      expected: 'rows and columns',
      got: showShape(shape),
      fix: 'Write .npy or .json, which hold any shape.',
    })
  }
  const columns = shape[1] ?? 1
  const single = data instanceof Float32Array
  const lines: string[] = []
  for (let from = 0; from < data.length; from += columns) {
    const row = Array.from(data.subarray(from, from + columns), (value) =>
      showNumber(value, single),
    )
    lines.push(row.join(delimiter))
  }
  return `${lines.join('\n')}\n`
}
