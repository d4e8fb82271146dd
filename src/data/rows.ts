/** Numbers that arrive line by line. */

import { readJsonLine } from '../bytes/json.ts'
import { parseRow as parseTableRow, type RowOptions } from '../bytes/table-row.ts'
import { GruvError, within } from '../errors.ts'
import { showShape } from '../tensor.ts'

/**
 * One row: numbers between commas, tabs, semicolons or blanks, or a JSON array.
 * @returns null for a blank line or a comment.
 * @throws GruvError `bad-file` for what is no row of numbers, with the column.
 */
export function parseRow(line: string, options: RowOptions = {}): number[] | null {
  if (!line.trimStart().startsWith('[')) return parseTableRow(line, options)
  try {
    return parseJsonRow(line)
  } catch (error) {
    throw within(options.where ?? 'line', error)
  }
}

function parseJsonRow(line: string): number[] {
  const { shape, data } = readJsonLine(line)
  if (shape.length === 1) return Array.from(data)
  throw new GruvError('bad-shape', 'a row is an array of numbers', {
    expected: '[columns]',
    got: showShape(shape),
  })
}
