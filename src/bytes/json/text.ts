/**
 * Parses JSON (RFC 8259) with more checks than `JSON.parse`, which builds the value: a scan before
 * it finds where a mistake is, how deep the text nests, duplicate keys, where the numbers are, and
 * the NaN, Infinity and -Infinity that Python's `json` writes though JSON does not have them.
 */

import { GruvError } from '../../errors.ts'
import { quote } from '../show.ts'
import { MOST_LEVELS } from './object.ts'

/** Called for every number with its place in the text, and the keys of the objects it lies in. */
export type OnNumber = (from: number, to: number, keys: readonly string[]) => void

/**
 * The value that a JSON text stands for. A bare NaN becomes null, a bare Infinity a string.
 * @throws GruvError `bad-file` for text that is not JSON and for duplicate keys, `too-large` for
 *   more than 64 levels; with line and column.
 */
export function parseJson(text: string, onNumber?: OnNumber): unknown {
  return JSON.parse(scan(text, onNumber))
}

// What may come next, as a set of bits.
const VALUE = 1
const KEY = 2
const COLON = 4
const COMMA = 8
const CLOSE = 16
const END = 32

const names = [
  [VALUE, 'a value'],
  [KEY, 'a key in quotes'],
  [COLON, 'a colon'],
  [COMMA, 'a comma'],
  [CLOSE, 'a closing bracket'],
  [END, 'the end'],
] as const

/** An object's keys so far; null for an array. */
type Level = Set<string> | null

const pythonWords: ReadonlyMap<string, string> = new Map([
  ['NaN', 'null'],
  ['Infinity', '"Infinity"'],
  ['-Infinity', '"-Infinity"'],
])

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** The text with Python's words replaced, which is JSON if this does not throw. */
function scan(text: string, onNumber: OnNumber | undefined): string {
  const levels: Level[] = []
  const keys: string[] = []
  const replaced: string[] = []
  let copied = 0
  let next = VALUE
  const need = (wanted: number, at: number): void => {
    if ((next & wanted) === 0) throw unexpected(text, at, next)
  }
  const afterValue = (): number => (levels.length === 0 ? END : COMMA | CLOSE)

  let at = skipBlanks(text, 0)
  while (at < text.length) {
    const character = text[at]
    let end = at + 1
    if (character === '"') {
      need(VALUE | KEY, at)
      end = endOfString(text, at)
      const value = parseString(text, at, end, next)
      if ((next & KEY) !== 0) {
        takeKey(value, levels.at(-1)!, text, at)
        keys[keys.length - 1] = value
        next = COLON
      } else next = afterValue()
    } else if (character === '{' || character === '[') {
      need(VALUE, at)
      if (levels.length === MOST_LEVELS) throw tooDeep(text, at)
      levels.push(character === '{' ? new Set() : null)
      if (character === '{') keys.push('')
      next = CLOSE | (character === '{' ? KEY : VALUE)
    } else if (character === '}' || character === ']') {
      need(CLOSE, at)
      const isObject = levels.at(-1) != null
      if (isObject !== (character === '}')) throw unexpected(text, at, next)
      levels.pop()
      if (isObject) keys.pop()
      next = afterValue()
    } else if (character === ',') {
      need(COMMA, at)
      next = levels.at(-1) == null ? VALUE : KEY
    } else if (character === ':') {
      need(COLON, at)
      next = VALUE
    } else {
      need(VALUE, at)
      end = endOfWord(text, at)
      const word = text.slice(at, end)
      const replacement = pythonWords.get(word)
      if (number.test(word)) onNumber?.(at, end, keys)
      else if (replacement !== undefined) {
        replaced.push(text.slice(copied, at), replacement)
        copied = end
      } else if (!['true', 'false', 'null'].includes(word)) throw unexpected(text, at, next)
      next = afterValue()
    }
    at = skipBlanks(text, end)
  }
  need(END, at)
  return replaced.length === 0 ? text : replaced.join('') + text.slice(copied)
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** After the closing quote, or the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

/** At least one character: anything that is no word is refused as one. */
function endOfWord(text: string, start: number): number {
  const word = /[\w+\-.]*/y
  word.lastIndex = start + 1
  word.test(text)
  return Math.max(word.lastIndex, start + 1)
}

function parseString(text: string, from: number, to: number, next: number): string {
  try {
    return JSON.parse(text.slice(from, to))
  } catch {
    throw unexpected(text, from, next)
  }
}

function takeKey(key: string, earlier: Set<string>, text: string, at: number): void {
  if (earlier.has(key)) {
    throw new GruvError('bad-file', 'the same key comes twice', {
      where: placeOf(text, at),
      got: quote(key),
    })
  }
  earlier.add(key)
}

function unexpected(text: string, at: number, next: number): GruvError {
  const expected = names.filter(([bit]) => (next & bit) !== 0).map(([, name]) => name)
  return new GruvError('bad-file', 'this is not JSON', {
    where: placeOf(text, at),
    expected: expected.join(' or '),
    got: at < text.length ? quote(text.slice(at, at + 24)) : 'the end',
  })
}

function tooDeep(text: string, at: number): GruvError {
  return new GruvError('too-large', 'the arrays nest too deep', {
    where: placeOf(text, at),
    expected: `at most ${MOST_LEVELS} levels`,
  })
}

/** The column alone for a single line, as in JSONL: the caller knows its number. */
function placeOf(text: string, at: number): string {
  const before = text.slice(0, at)
  const column = `column ${at - before.lastIndexOf('\n')}`
  return text.includes('\n') ? `line ${before.split('\n').length}, ${column}` : column
}
