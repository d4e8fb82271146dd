/**
 * Parses Python literals as they occur in the header of an .npy file: strings, integers, True,
 * False, None, tuples, lists and dicts. It does what `ast.literal_eval` does there; nothing is run.
 */

import { GruvError } from '../../errors.ts'
import { quote } from '../show.ts'

export type PythonLiteral =
  | string
  | number
  | boolean
  | null
  | PythonSequence
  | ReadonlyMap<string, PythonLiteral>

export interface PythonSequence {
  readonly kind: 'tuple' | 'list'
  readonly items: readonly PythonLiteral[]
}

/** A structured dtype nests a few levels; more would only serve to overflow the stack. */
const MOST_LEVELS = 16

interface Cursor {
  readonly text: string
  at: number
}

/**
 * One literal, with nothing but white space around it.
 * @throws GruvError `bad-file` with the character where it stops being one.
 */
export function parsePythonLiteral(text: string): PythonLiteral {
  const cursor = { text, at: 0 }
  const value = parseValue(cursor, 0)
  if (peek(cursor) !== '') throw unexpected(cursor, 'the end')
  return value
}

function parseValue(cursor: Cursor, level: number): PythonLiteral {
  if (level > MOST_LEVELS) throw unexpected(cursor, `at most ${MOST_LEVELS} levels of nesting`)
  const next = peek(cursor)
  if (next === "'" || next === '"') return parseString(cursor, next)
  if (next === '(') return parseTuple(cursor, level)
  if (next === '[') return { kind: 'list', items: parseItems(cursor, ']', level).items }
  if (next === '{') return parseDict(cursor, level)
  return parseWord(cursor)
}

/** `(3)` is 3 in brackets; `(3,)` and `()` are tuples. */
function parseTuple(cursor: Cursor, level: number): PythonLiteral {
  const { items, comma } = parseItems(cursor, ')', level)
  return items.length === 1 && !comma ? items[0] : { kind: 'tuple', items }
}

function parseItems(
  cursor: Cursor,
  close: string,
  level: number,
): { items: PythonLiteral[]; comma: boolean } {
  cursor.at++
  const items: PythonLiteral[] = []
  let comma = false
  while (peek(cursor) !== close) {
    if (items.length > 0 && !comma) throw unexpected(cursor, `a comma or ${close}`)
    items.push(parseValue(cursor, level + 1))
    comma = skip(cursor, ',')
  }
  cursor.at++
  return { items, comma }
}

function parseDict(cursor: Cursor, level: number): ReadonlyMap<string, PythonLiteral> {
  cursor.at++
  const entries = new Map<string, PythonLiteral>()
  let comma = true
  while (peek(cursor) !== '}') {
    if (!comma) throw unexpected(cursor, 'a comma or }')
    const quoteMark = peek(cursor)
    if (quoteMark !== "'" && quoteMark !== '"') throw unexpected(cursor, 'a key in quotes')
    const key = parseString(cursor, quoteMark)
    if (entries.has(key)) throw unexpected(cursor, `the key ${quote(key)} only once`)
    if (!skip(cursor, ':')) throw unexpected(cursor, 'a colon')
    entries.set(key, parseValue(cursor, level + 1))
    comma = skip(cursor, ',')
  }
  cursor.at++
  return entries
}

/** Of the escapes only those of quotes and of the backslash; NumPy's headers need no others. */
function parseString(cursor: Cursor, mark: string): string {
  let value = ''
  for (cursor.at++; cursor.at < cursor.text.length; cursor.at++) {
    let character = cursor.text[cursor.at]
    if (character === mark) {
      cursor.at++
      return value
    }
    if (character === '\\') {
      character = cursor.text[++cursor.at] ?? ''
      if (!`'"\\`.includes(character)) throw unexpected(cursor, 'an escaped quote or backslash')
    }
    value += character
  }
  throw unexpected(cursor, `a closing ${mark}`)
}

const constants: ReadonlyMap<string, boolean | null> = new Map([
  ['True', true],
  ['False', false],
  ['None', null],
])

function parseWord(cursor: Cursor): number | boolean | null {
  const word = /^[\w+-]*/.exec(cursor.text.slice(cursor.at, cursor.at + 32))![0]
  const value = constants.has(word) ? constants.get(word)! : parseInteger(word)
  if (Number.isNaN(value)) throw unexpected(cursor, 'a Python literal')
  cursor.at += word.length
  return value
}

/**
 * Python 2 wrote long integers as `3L`. NaN for other words, and for integers that a float64 cannot
 * hold.
 */
function parseInteger(word: string): number {
  const value = /^[+-]?\d+L?$/.test(word) ? Number.parseInt(word, 10) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}

/** The next character that is no white space, '' at the end. */
function peek(cursor: Cursor): string {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++
  return cursor.text[cursor.at] ?? ''
}

function skip(cursor: Cursor, character: string): boolean {
  if (peek(cursor) !== character) return false
  cursor.at++
  return true
}

function unexpected({ text, at }: Cursor, expected: string): GruvError {
  return new GruvError('bad-file', 'the description of the array is not right', {
    where: `header, character ${at + 1}`,
    expected,
    got: at < text.length ? quote(text.slice(at, at + 24)) : 'the end of the header',
  })
}
