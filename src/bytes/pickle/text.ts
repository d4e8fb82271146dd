/** Reads the arguments of the opcodes of protocol 0, which are lines of text. */

import { quote } from '../show.ts'
import type { PickleMachine } from './machine.ts'

/** No network has numbers of more digits. */
const MOST_DIGITS = 2500

/** `12`, and `00` and `01` for False and True. */
export function pythonInteger(m: PickleMachine): number | bigint | boolean {
  const text = latin1(m.line())
  if (text === '00') return false
  if (text === '01') return true
  return integer(m, text)
}

/** `12L` */
export function pythonLong(m: PickleMachine): number | bigint {
  return integer(m, latin1(m.line()).replace(/L$/, ''))
}

/** A float as `repr` prints it. */
export function pythonFloat(m: PickleMachine): number {
  const text = latin1(m.line())
  const special = specials.get(text)
  if (special !== undefined) return special
  if (text.length > MOST_DIGITS || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text))
    throw m.bad('this is no number', quote(text))
  return Number(text)
}

const specials: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
])

function integer(m: PickleMachine, text: string): number | bigint {
  if (text.length > MOST_DIGITS || !/^[+-]?\d+$/.test(text))
    throw m.bad('this is no whole number', quote(text))
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text.replace(/^\+/, ''))
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** A string of Python 2 as `repr` prints it, in quotes, bytes above 126 as `\x..`. */
export function pythonString(m: PickleMachine): string {
  const text = latin1(m.line())
  const mark = text[0]
  if (text.length < 2 || (mark !== "'" && mark !== '"') || text.at(-1) !== mark)
    throw m.bad('a string is not in quotes', quote(text))
  return text.slice(1, -1).replace(/\\(x[\da-fA-F]{2}|.)/g, (whole, code: string) => {
    if (code[0] === 'x' && code.length === 3)
      return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return escapes[code] ?? whole
  })
}

/** Python's raw-unicode-escape: latin-1, and `\u....` or `\U........` for the rest. */
export function rawUnicode(m: PickleMachine): string {
  return latin1(m.line()).replace(
    /\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/g,
    (whole, short, long) => {
      const point = Number.parseInt(short ?? long, 16)
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole
    },
  )
}

/** Byte by byte: what browsers call latin1 is windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += CHUNK)
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK))
  return text
}

/** Every engine allows this many arguments in a call. */
const CHUNK = 4096
