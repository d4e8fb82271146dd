/**
 * JSON as text: `JSON.parse` parses, and a scan beforehand finds what it would not tell — how deep
 * the text nests, keys that come twice, where the numbers are — and what Python's `json` writes
 * though JSON has no such thing: NaN, Infinity and -Infinity.
 */

import { GruvError } from '../errors.ts'
import { quote } from './show.ts'

/** Arrays have few axes; engines that parse recursively overflow at some ten thousand levels. */
const MOST_LEVELS = 64

/** Called for every number with its place in the text, and the keys of the objects it lies in. */
export type OnNumber = (from: number, to: number, keys: readonly string[]) => void

/**
 * The value that a JSON text stands for. A bare NaN becomes null, a bare Infinity a string.
 * @throws GruvError `bad-file` for what is no JSON and for keys that come twice, `too-large` for
 *   more than 64 levels.
 */
export function parseJson(text: string, onNumber?: OnNumber): unknown {
  const json = scan(text, onNumber)
  try {
    return JSON.parse(json)
  } catch (cause) {
    const { message } = cause as Error
    const position = / at position (\d+)/.exec(message)
    throw new GruvError('bad-file', 'this is not JSON', {
      ...(position !== null && { where: placeOf(json, Number(position[1])) }),
      got: message,
      cause,
    })
  }
}

/** Of an object: its keys so far, and whether the next string is one. Arrays have null. */
interface Level {
  readonly keys: Set<string>
  keyNext: boolean
}

function scan(text: string, onNumber: OnNumber | undefined): string {
  const levels: (Level | null)[] = []
  const path: string[] = []
  const strict: string[] = [] // the text so far, with Python's words replaced
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (levels.length === MOST_LEVELS) throw tooDeep(text, at)
      levels.push(code === OPEN_BRACE ? { keys: new Set(), keyNext: true } : null)
      if (code === OPEN_BRACE) path.push('')
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (levels.pop() != null) path.pop()
    } else if (code === COMMA) {
      const level = levels.at(-1)
      if (level != null) level.keyNext = true
    } else if (code === QUOTE) {
      const end = endOfString(text, at)
      const level = levels.at(-1)
      if (level?.keyNext) path[path.length - 1] = takeKey(text, at, end, level)
      at = end - 1
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const infinite = code === MINUS && text.startsWith('Infinity', at + 1)
      const end = infinite ? at + 9 : endOfNumber(text, at)
      if (infinite) {
        strict.push(text.slice(copied, at), '"-Infinity"')
        copied = end
      } else onNumber?.(at, end, path)
      at = end - 1
    } else if (code === LETTER_N && text.startsWith('NaN', at)) {
      strict.push(text.slice(copied, at), 'null')
      copied = at + 3
      at = copied - 1
    } else if (code === LETTER_I && text.startsWith('Infinity', at)) {
      strict.push(text.slice(copied, at), '"Infinity"')
      copied = at + 8
      at = copied - 1
    }
  }
  return strict.length === 0 ? text : strict.join('') + text.slice(copied)
}

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const LETTER_I = 0x49
const LETTER_N = 0x4e

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at + 1
  }
  return text.length
}

/** A superset of JSON's numbers; `JSON.parse` refuses the rest. */
function endOfNumber(text: string, start: number): number {
  const characters = /[\d+\-.eE]+/y
  characters.lastIndex = start
  characters.test(text)
  return characters.lastIndex
}

function takeKey(text: string, from: number, to: number, level: Level): string {
  level.keyNext = false
  const literal = text.slice(from, to)
  let key: string
  try {
    key = JSON.parse(literal)
  } catch {
    return literal // `JSON.parse` of the whole text will say what is wrong.
  }
  if (level.keys.has(key)) {
    throw new GruvError('bad-file', 'the same key comes twice', {
      where: placeOf(text, from),
      got: quote(key),
    })
  }
  level.keys.add(key)
  return key
}

function tooDeep(text: string, at: number): GruvError {
  return new GruvError('too-large', 'the arrays nest too deep', {
    where: placeOf(text, at),
    expected: `at most ${MOST_LEVELS} levels`,
  })
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  return `line ${line}, column ${at - before.lastIndexOf('\n')}`
}
