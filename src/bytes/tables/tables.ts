/**
 * Reads and writes tables of numbers as text: CSV, TSV, and columns between blanks. The rules are
 * those of `numpy.genfromtxt`, except that a field that is neither a number nor a missing value is
 * an error here and NaN there.
 */

import { GruvError } from '../../errors.ts'
import { showShape, sizeOf, type Tensor, toTensor } from '../../tensor.ts'
import { noDigits, showNumber } from '../numbers/decimal.ts'
import { NumberList } from '../numbers/number-list.ts'
import { quote } from '../show.ts'
import { eachLine, firstLines } from '../text.ts'
import { type Delimiter, detectDelimiter, isHeaderRow, parseField, splitFields } from './row.ts'

/** [rows, columns], dtype `text`, with the digits printed. */
export interface Table extends Tensor {
  /** The names in a header row; null when there is none. */
  readonly columns: readonly string[] | null
  readonly delimiter: Delimiter
}

/**
 * A whole table. `#` begins a comment; blank lines are skipped; a first row without any number is a
 * header (so names that are numbers are taken for data); empty fields, NA, N/A, null and None are
 * NaN; quotes around fields are removed.
 * @param options `where`: named in messages, before line and column.
 * @throws GruvError `bad-file` for a field that is no number, with line and column; for rows of
 *   different length, with the line; for a table without rows.
 */
export function readTable(text: string, { where }: { readonly where?: string } = {}): Table {
  const delimiter = detectDelimiter(firstLines(text, 2))
  const printed = noDigits()
  const numbers = new NumberList()
  let header: readonly string[] | null = null
  let first: { readonly width: number; readonly line: number } | null = null
  let rows = 0
  for (const { line, number } of eachLine(text)) {
    const place = where === undefined ? `line ${number}` : `${where}: line ${number}`
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
    for (let c = 0; c < fields.length; c++) {
      numbers.push(parseField(fields[c], c, printed, place, delimiter))
    }
    rows++
  }
  if (first === null || rows === 0) {
    throw new GruvError('bad-file', 'the table has no rows', {
      ...(where !== undefined && { where }),
      expected: 'rows of numbers',
      got: header === null ? 'blank lines and comments' : `a header: ${quote(header.join(' '))}`,
    })
  }
  return {
    shape: [rows, first.width],
    data: numbers.toArray(),
    dtype: 'text',
    printed,
    columns: header?.length === first.width ? header : null,
    delimiter,
  }
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
