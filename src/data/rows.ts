/** Reads rows of numbers that arrive line by line. */

import { readJsonLine } from '../bytes/json/tensors.ts'
import { parseRow as parseTableRow, type RowOptions } from '../bytes/tables/row.ts'
import { GruvError, locate } from '../errors.ts'
import { showShape } from '../tensor.ts'

/**
 * One row: numbers between commas, tabs, semicolons or blanks, or a JSON array.
 * @returns null for a blank line or a comment.
 * @throws GruvError `bad-file` for a line that is no row of numbers, with the column.
 */
export function parseRow(line: string, options: RowOptions = {}): number[] | null {
  if (!line.trimStart().startsWith('[')) return parseTableRow(line, options)
  return locate(options.where ?? 'line', () => parseJsonRow(line))
}

function parseJsonRow(line: string): number[] {
  const { shape, data } = readJsonLine(line)
  if (shape.length === 1) return Array.from(data)
  throw new GruvError('bad-shape', 'a row is an array of numbers', {
    expected: '[columns]',
    got: showShape(shape),
  })
}
