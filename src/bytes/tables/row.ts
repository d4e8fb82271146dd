/** Splits a line of a table into fields, and reads the numbers in them. */

import { GruvError } from '../../errors.ts'
import { countDigits, type Digits, noDigits } from '../numbers/decimal.ts'
import { quote } from '../show.ts'

/** A blank stands for any run of white space. */
export type Delimiter = ',' | '\t' | ';' | ' '

export interface RowOptions {
  /** Named in messages, such as `line 7`. */
  readonly where?: string
  /** When absent, detected from the line. */
  readonly delimiter?: Delimiter
}

/**
 * One line of a table.
 * @returns null for a blank line or a comment.
 * @throws GruvError `bad-file` for a field that is no number, with the column.
 */
export function parseRow(line: string, options: RowOptions = {}): number[] | null {
  const { where = 'line', delimiter = detectDelimiter([line]) } = options
  const fields = splitFields(line, delimiter, where)
  if (fields.length === 0) return null
  const digits = noDigits()
  return fields.map((field, c) => parseField(field, c, digits, where, delimiter))
}

/** Whether a line would be taken for a header if it were a table's first: text, and no number. */
export function isHeader(line: string): boolean {
  return isHeaderRow(splitFields(line, detectDelimiter([line]), 'line'))
}

/** Dates, times and decimal commas are no names: a row of them is wrong, not a header. */
const almostNumber = /^[-+.,:/\d][-+.,:/\s\deE]*$/

export function isHeaderRow(fields: readonly string[]): boolean {
  const values = fields.map((field) => meaningOf(field))
  return (
    values.includes(undefined) &&
    values.every((value) => value === undefined || value === null) &&
    !fields.some((field) => almostNumber.test(field))
  )
}

/** In messages. */
const delimiterNames: Readonly<Record<Delimiter, string>> = {
  ',': 'commas',
  '\t': 'tabs',
  ';': 'semicolons',
  ' ': 'blanks',
}

/**
 * The delimiter that makes a table of the first line or two: the last line all numbers, the one
 * before it as many or a header. Failing that, one that makes the first line numbers; failing that,
 * the one that has no other use: a comma may be a decimal comma, a tab may stand for a blank.
 */
export function detectDelimiter(lines: readonly string[]): Delimiter {
  const contents = lines.map((line) => line.split('#', 1)[0])
  const occurring = ([',', ';', '\t', ' '] as const).filter(
    (each) => each === ' ' || contents.some((content) => content.includes(each)),
  )
  const rows = (delimiter: Delimiter): string[][] =>
    contents.map((content) =>
      delimiter === ' ' ? content.trim().split(/\s+/) : content.split(delimiter),
    )
  const bySafety = ([';', '\t', ',', ' '] as const).filter((each) => occurring.includes(each))
  return (
    occurring.find((each) => isTable(rows(each))) ??
    occurring.find((each) => isNumbers(rows(each)[0])) ??
    bySafety.find((each) => hasTextBeside(lines, each)) ??
    bySafety[0]
  )
}

function isTable(rows: readonly string[][]): boolean {
  const [first = [], last = first] = rows
  return (
    isNumbers(last) &&
    (isNumbers(first) ? first.length === last.length : isHeaderRow(first.map(unquote)))
  )
}

/** Rows of the same width, and in the last one something that was meant as a number. */
function hasTextBeside(lines: readonly string[], delimiter: Delimiter): boolean {
  const rows = lines.map((line) => fieldsOrNone(line, delimiter))
  const [first = [], last = first] = rows
  return first.length === last.length && last.some((field) => !isText(field) && !isMissing(field))
}

function isNumbers(fields: readonly string[]): boolean {
  return fields.every((field) => meaningOf(field) !== undefined)
}

/** The fields without blanks and quotes around them; none for a blank line or a comment. */
export function splitFields(line: string, delimiter: Delimiter, where: string): string[] {
  if (line.includes('"')) return splitQuoted(line, delimiter, where)
  const hash = line.indexOf('#')
  const content = hash === -1 ? line : line.slice(0, hash)
  if (content.trim() === '') return []
  if (delimiter === ' ') return content.trim().split(/\s+/)
  return content.split(delimiter).map((field) => field.trim())
}

/** The same, and none for a line that cannot be split: its place is told when it is read. */
export function fieldsOrNone(line: string, delimiter: Delimiter): string[] {
  try {
    return splitFields(line, delimiter, 'line')
  } catch {
    return []
  }
}

/** RFC 4180, 2.5 to 2.7: delimiters between quotes do not count, and "" is a quote. */
function splitQuoted(line: string, delimiter: Delimiter, where: string): string[] {
  const blanks = delimiter === ' '
  const fields: string[] = []
  let field = ''
  let quoted = false
  let closed = false // the field had quotes, so it is one even when empty
  const finish = (): void => {
    if (!blanks || closed || field.trim() !== '') fields.push(field.trim())
    field = ''
    closed = false
  }
  for (let i = 0; i < line.length; i++) {
    const character = line[i]
    if (character === '"') {
      if (quoted && line[i + 1] === '"') field += line[i++]
      else quoted = !quoted
      closed = true
    } else if (quoted) field += character
    else if (character === '#') break
    else if (blanks ? /\s/.test(character) : character === delimiter) finish()
    else field += character
  }
  if (quoted) {
    throw new GruvError('bad-file', 'a quote is not closed', { where, got: quote(line) })
  }
  if (fields.length > 0 || closed || field.trim() !== '') finish()
  return fields
}

const missing: ReadonlySet<string> = new Set(['', 'na', 'n/a', 'null', 'none'])

/** As Python's `float` reads them, with or without a sign. */
const words: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
])

/**
 * Splitting a line removes double quotes, so they occur only while the delimiter is being detected.
 */
function unquote(text: string): string {
  return text
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2')
    .trim()
}

/** Meant as numbers: with a decimal comma, with marks between thousands, hexadecimal. */
const mistakenNumber = /^[-+]?(0x[\da-f]+|[\d.,'\s]*[\d.])$/i
const dottedDate = /^\d{1,4}\.\d{1,2}\.\d{1,4}\b/

/** Whether a field is text rather than a number, a missing value or a mistaken number. */
export function isText(field: string): boolean {
  if (meaningOf(field) !== undefined) return false
  return dottedDate.test(field) || !mistakenNumber.test(field)
}

/** Whether a field says that there is no value. */
export function isMissing(field: string): boolean {
  const value = meaningOf(field)
  return value === null || Number.isNaN(value)
}

/** A number; null for a missing value; undefined for anything else. */
function meaningOf(text: string, digits: Digits = noDigits()): number | null | undefined {
  const field = unquote(text)
  if (countDigits(field, 0, field.length, digits)) return Number(field)
  const word = field.toLowerCase()
  if (missing.has(word)) return null
  const magnitude = words.get(word.replace(/^[+-]/, ''))
  if (magnitude === undefined) return undefined
  return word.startsWith('-') ? -magnitude : magnitude
}

/** @throws GruvError `bad-file` when the field is neither a number nor a missing value. */
export function parseField(
  field: string,
  column: number,
  digits: Digits,
  where: string,
  delimiter: Delimiter,
): number {
  const value = meaningOf(field, digits)
  if (value === undefined) {
    throw new GruvError('bad-file', 'this is not a number', {
      where: `${where}, column ${column + 1}`,
      expected: `numbers between ${delimiterNames[delimiter]}`,
      got: quote(field),
      ...(/^[+-]?\d+,\d+$/.test(field) && { fix: 'Write a decimal point instead of the comma.' }),
    })
  }
  return value ?? Number.NaN
}
