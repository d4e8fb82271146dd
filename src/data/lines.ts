/** Reads the rows of a table that arrives line by line: numbers, JSON arrays or JSON objects. */

import type { JsonObject } from '../bytes/json/object.ts'
import { readJsonLines } from '../bytes/json/tensors.ts'
import { parseJson } from '../bytes/json/text.ts'
import { noDigits } from '../bytes/numbers/decimal.ts'
import { NumberList } from '../bytes/numbers/number-list.ts'
import { quote, showNames } from '../bytes/show.ts'
import {
  detectDelimiter,
  isHeaderRow,
  isText,
  parseField,
  splitFields,
} from '../bytes/tables/row.ts'
import type { LineNumbers } from '../bytes/tables/tables.ts'
import { eachLine, firstLines } from '../bytes/text.ts'
import { GruvError, isGruvError, locate } from '../errors.ts'
import type { Named, Tensor } from '../tensor.ts'
import { parseRow } from './rows.ts'

/** The place of a field in each line, or the key that an object has it under. */
interface Columns {
  readonly keys: readonly string[] | null
  readonly places: readonly number[]
  /** Fields of a line, those of text included. */
  readonly fields: number
}

/**
 * The first line with any content may be a header. It needs a name for each number, and may have
 * names for columns of text, which are left out. Objects are read by their keys: those of the
 * header, or of the first object in its order. What an object lacks is missing: NaN.
 */
export class RowReader {
  /** Names of columns of text, which rows do not have. */
  leftOut: readonly string[] = []
  /** The names of the numbers in a row, where a header or an object gave them. */
  names: readonly string[] | null = null
  readonly #width: number | undefined
  #header: { readonly fields: readonly string[]; readonly where: string } | null = null
  #columns: Columns | null = null
  #begun = false

  /** @param width how many numbers a row has; default: as many as the first. */
  constructor(width?: number) {
    this.#width = width
  }

  /**
   * @param where the place, such as `line 7`, for messages.
   * @returns null for the header, a blank line and a comment.
   * @throws GruvError `bad-file` or `bad-shape` for a line that is no row, and for a header that
   *   does not fit; the lines after it can still be read.
   */
  next(text: string, where: string): number[] | null {
    const line = text.replace(/^\uFEFF/, '').trim()
    if (line === '' || line.startsWith('#')) return null
    const mayBeHeader = !this.#begun
    this.#begun = true
    if (line.startsWith('{')) return this.#object(line, where)
    if (line.startsWith('[')) return this.#fitting(parseRow(line, { where }) ?? [], where)
    return this.#fields(line, where, mayBeHeader)
  }

  /** @throws GruvError for a header without rows that fits no row. */
  end(): void {
    const header = this.#header
    if (header === null || this.#columns !== null) return
    if (this.#width !== undefined && header.fields.length !== this.#width)
      throw this.#noHeader(header)
  }

  #fields(line: string, where: string, mayBeHeader: boolean): number[] | null {
    const delimiter = detectDelimiter([line])
    const fields = splitFields(line, delimiter, where)
    if (mayBeHeader && isHeaderRow(fields)) {
      const header = { fields, where }
      if (fields.length < (this.#width ?? 1)) throw this.#noHeader(header)
      this.#header = header
      return null
    }
    const { places, fields: count } = this.#columnsOf(fields, where)
    if (fields.length !== count) throw misfit(count, fields.length, where)
    const digits = noDigits()
    return places.map((at) => parseField(fields[at], at, digits, where, delimiter))
  }

  /** The first row says which columns are text. */
  #columnsOf(fields: readonly string[], where: string): Columns {
    if (this.#columns !== null) return this.#columns
    const all = fields.map((_, at) => at)
    const numbers = all.filter((at) => !isText(fields[at]))
    const width = this.#width ?? numbers.length
    const header = this.#header
    // Text in a row of the right length is a mistake.
    const places = fields.length > width && numbers.length === width ? numbers : all
    const named = header === null || header.fields.length === fields.length
    if (places.length !== width && (header === null || named))
      throw misfit(width, places.length, where)
    if (!named && header.fields.length !== width) throw this.#noHeader(header)
    const names = named ? (header?.fields ?? null) : null
    this.names = names && places.map((at) => names[at])
    this.leftOut = all
      .filter((at) => !places.includes(at))
      .map((at) => names?.[at] ?? `column ${at + 1}`)
    this.#columns = { keys: this.names, places, fields: fields.length }
    return this.#columns
  }

  #object(line: string, where: string): number[] {
    const object = locate(where, () => parseJson(line)) as JsonObject
    const keys = this.#columns?.keys ?? this.#keysOf(object, where)
    if (!keys.some((key) => Object.hasOwn(object, key))) {
      throw new GruvError('bad-shape', 'this object has none of the fields', {
        where,
        expected: showNames(keys),
        got: showNames(Object.keys(object)),
      })
    }
    return keys.map((key) => numberOf(object, key, where))
  }

  #keysOf(object: JsonObject, where: string): readonly string[] {
    const given = Object.keys(object)
    const isWord = (key: string): boolean => isWordInJson(object[key])
    const known = this.#header?.fields.filter((name) => !isWord(name))
    const keys = known ?? given.filter((key) => !isWord(key))
    if (keys.length === 0 || keys.length !== (this.#width ?? keys.length)) {
      throw new GruvError('bad-shape', 'this object does not fit the model', {
        where,
        expected: `${this.#width ?? 1} numbers`,
        got: `${keys.length}: ${showNames(keys)}`,
      })
    }
    this.names = keys
    this.leftOut = given.filter((key) => !keys.includes(key))
    this.#columns = { keys, places: keys.map((_, at) => at), fields: keys.length }
    return keys
  }

  #fitting(row: number[], where: string): number[] {
    const width = this.#columns?.places.length ?? this.#width ?? row.length
    if (row.length !== width) throw misfit(width, row.length, where)
    this.#columns ??= { keys: this.#header?.fields ?? null, places: [...row.keys()], fields: width }
    return row
  }

  #noHeader({
    fields,
    where,
  }: {
    readonly fields: readonly string[]
    readonly where: string
  }): GruvError {
    return new GruvError('bad-shape', 'this is neither a row of numbers nor a header', {
      where,
      expected: `${this.#width} numbers, or ${this.#width} names`,
      got: fields.length === 1 ? quote(fields[0]) : `${fields.length}: ${showNames(fields)}`,
    })
  }
}

function misfit(expected: number, got: number, where: string): GruvError {
  return new GruvError('bad-shape', 'this line does not fit the model', {
    where,
    expected: `${expected} numbers`,
    got: `${got}`,
  })
}

/** JSON has no such numbers, so texts stand for them. */
const wordOfNumber = /^([-+]?)(nan|inf|infinity)$/i

function isWordInJson(value: unknown): boolean {
  return typeof value === 'string' && !wordOfNumber.test(value)
}

/** What an object lacks is missing, as null is. */
function numberOf(object: JsonObject, key: string, where: string): number {
  const value = Object.hasOwn(object, key) ? object[key] : null
  if (value === null) return Number.NaN
  if (typeof value === 'number') return value
  const word = wordOfNumber.exec(String(value))
  if (word !== null) {
    if (word[2].toLowerCase() === 'nan') return Number.NaN
    return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  throw new GruvError('bad-file', 'this is not a number', {
    where: `${where}, ${quote(key)}`,
    expected: 'a number or null',
    got: quote(JSON.stringify(value)),
  })
}

/** A tensor from lines of JSON: arrays of any shape, or objects, [lines, keys]. */
export function readJsonRows(
  text: string,
  { onError }: { readonly onError?: (error: GruvError) => void },
): RowsOfObjects {
  const [first = ''] = firstLines(text, 1)
  if (!first.trimStart().startsWith('{') || /"(shape|data)"\s*:\s*\[/.test(first))
    return { tensors: { data: readJsonLines(text) } }
  const reader = new RowReader()
  const numbers = new NumberList()
  const lines: { row: number; line: number }[] = []
  let rows = 0
  let before = Number.NaN
  for (const { line, number } of eachLine(text)) {
    try {
      const row = reader.next(line, `line ${number}`)
      if (row === null) continue
      for (const value of row) numbers.push(value)
    } catch (error) {
      if (onError === undefined || !isGruvError(error)) throw error
      onError(error)
      continue
    }
    if (number !== before + 1) lines.push({ row: rows, line: number })
    before = number
    rows++
  }
  if (rows === 0)
    throw new GruvError('bad-file', 'no line is a row of numbers', {
      expected: 'objects of numbers',
    })
  const { names, leftOut } = reader
  return {
    tensors: {
      data: { shape: [rows, names?.length ?? 0], data: numbers.toArray(), dtype: 'text' },
    },
    lines,
    ...(names && { columns: names }),
    ...(leftOut.length > 0 && { leftOut }),
  }
}

interface RowsOfObjects {
  readonly tensors: Named<Tensor>
  readonly lines?: LineNumbers
  readonly columns?: readonly string[]
  readonly leftOut?: readonly string[]
}
