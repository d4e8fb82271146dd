/**
 * The table of pickle opcodes: what each does to the stack. Names as in CPython's `pickletools`.
 */

import type { PickleMachine } from './machine.ts'
import { pythonFloat, pythonInteger, pythonLong, pythonString, rawUnicode } from './text.ts'
import type { PickleCall, PickleDict, PickleEntry, PickleSequence, PickleValue } from './values.ts'

type Opcode = (m: PickleMachine) => void

/** The newest protocol there is. */
const NEWEST = 5

/** By code. */
export const opcodes: Readonly<Record<number, Opcode>> = byCode({
  // Protocol and framing. Frames only say how much to read ahead.
  '\x80': proto,
  '\x95': (m) => void m.length64(),

  // Constants and numbers.
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  I: (m) => m.push(pythonInteger(m)),
  L: (m) => m.push(pythonLong(m)),
  F: (m) => m.push(pythonFloat(m)),
  J: (m) => m.push(m.int32()),
  K: (m) => m.push(m.byte()),
  M: (m) => m.push(m.uint16()),
  G: (m) => m.push(m.float64()),
  '\x8a': (m) => m.push(binaryLong(m, m.byte())),
  '\x8b': (m) => m.push(binaryLong(m, m.uint32())),

  // Strings and bytes.
  S: (m) => m.push(pythonString(m)),
  V: (m) => m.push(rawUnicode(m)),
  T: (m) => m.push(oldString(m.take(m.uint32()))),
  U: (m) => m.push(oldString(m.take(m.byte()))),
  X: (m) => m.push(utf8(m.take(m.uint32()))),
  '\x8c': (m) => m.push(utf8(m.take(m.byte()))),
  '\x8d': (m) => m.push(utf8(m.take(m.length64()))),
  B: (m) => m.push(m.take(m.uint32())),
  C: (m) => m.push(m.take(m.byte())),
  '\x8e': (m) => m.push(m.take(m.length64())),
  '\x96': (m) => m.push(m.take(m.length64())),

  // Containers.
  '(': (m) => m.mark(),
  '0': (m) => m.drop(),
  '1': (m) => void m.popToMark(),
  '2': (m) => m.push(m.top()),
  ')': (m) => m.pushContainer({ kind: 'tuple', items: [] }),
  ']': (m) => m.pushContainer({ kind: 'list', items: [] }),
  '}': (m) => m.pushContainer({ kind: 'dict', entries: [] }),
  '\x8f': (m) => m.pushContainer({ kind: 'set', items: [] }),
  t: (m) => m.pushContainer({ kind: 'tuple', items: m.popToMark() }),
  l: (m) => m.pushContainer({ kind: 'list', items: m.popToMark() }),
  d: (m) => m.pushContainer({ kind: 'dict', entries: pairs(m, m.popToMark()) }),
  '\x91': (m) => m.pushContainer({ kind: 'set', items: m.popToMark() }),
  '\x85': (m) => tuple(m, 1),
  '\x86': (m) => tuple(m, 2),
  '\x87': (m) => tuple(m, 3),
  a: (m) => append(m, [m.pop()]),
  e: (m) => append(m, m.popToMark()),
  '\x90': (m) => append(m, m.popToMark()),
  s: (m) => setItems(m, [m.pop(), m.pop()].reverse()),
  u: (m) => setItems(m, m.popToMark()),

  // The memo.
  p: (m) => void m.memo.set(Number(pythonInteger(m)), m.top()),
  q: (m) => void m.memo.set(m.byte(), m.top()),
  r: (m) => void m.memo.set(m.uint32(), m.top()),
  '\x94': (m) => void m.memo.set(m.memo.size, m.top()),
  g: (m) => get(m, Number(pythonInteger(m))),
  h: (m) => get(m, m.byte()),
  j: (m) => get(m, m.uint32()),

  // Names, and calls that are recorded rather than made.
  c: (m) => m.push({ kind: 'global', module: utf8(m.line()), name: utf8(m.line()) }),
  '\x93': stackGlobal,
  R: (m) => call(m, m.pop()),
  '\x81': (m) => call(m, m.pop()),
  '\x92': newWithKeywords,
  i: (m) => {
    const callable = { kind: 'global', module: utf8(m.line()), name: utf8(m.line()) } as const
    pushCall(m, callable, { kind: 'tuple', items: m.popToMark() })
  },
  o: (m) => {
    const [callable, ...items] = m.popToMark()
    if (callable === undefined) throw m.bad('an object without a class')
    pushCall(m, callable, { kind: 'tuple', items })
  },
  b: build,
  P: (m) => m.pushContainer({ kind: 'persistent', id: utf8(m.line()) }),
  Q: (m) => m.pushContainer({ kind: 'persistent', id: m.pop() }),

  // Opcodes whose meaning lies outside of the file.
  '\x82': extension,
  '\x83': extension,
  '\x84': extension,
  '\x97': outOfBand,
  '\x98': outOfBand,
})

function byCode(named: Readonly<Record<string, Opcode>>): Readonly<Record<number, Opcode>> {
  return Object.fromEntries(Object.entries(named).map(([key, run]) => [key.charCodeAt(0), run]))
}

function proto(m: PickleMachine): void {
  const version = m.byte()
  if (version > NEWEST) throw m.unsupported(`protocol ${version}; ${NEWEST} is the newest known`)
}

/** Little endian, two's complement. */
function binaryLong(m: PickleMachine, length: number): number | bigint {
  if (length > MOST_LONG) throw m.unsupported(`a number of ${length} bytes`)
  // Through hexadecimal text, which `BigInt` reads in less than quadratic time.
  let hex = '0x0'
  for (const byte of m.take(length).toReversed()) hex += byte.toString(16).padStart(2, '0')
  return smallest(BigInt.asIntN(8 * length, BigInt(hex)))
}

/** In bytes: 2,466 digits. Python has no limit, but no network needs more. */
const MOST_LONG = 1024

function smallest(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const decoder = new TextDecoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true })

function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Python 2 made no difference between text and bytes. */
function oldString(bytes: Uint8Array): string | Uint8Array {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return bytes
  }
}

function tuple(m: PickleMachine, length: number): void {
  const items = Array.from({ length }, () => m.pop()).reverse()
  m.pushContainer({ kind: 'tuple', items })
}

function pairs(m: PickleMachine, flat: readonly PickleValue[]): PickleEntry[] {
  if (flat.length % 2 !== 0) throw m.bad('a key has no value')
  const entries: PickleEntry[] = []
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i], flat[i + 1]])
  return entries
}

function append(m: PickleMachine, items: readonly PickleValue[]): void {
  const target = m.top()
  if (!isFillable(target) || target.kind === 'dict') throw m.bad('this cannot be appended to')
  for (const item of items) target.items.push(item)
}

function setItems(m: PickleMachine, flat: readonly PickleValue[]): void {
  const entries = pairs(m, flat)
  const target = m.top()
  if (!isFillable(target) || !('entries' in target)) throw m.bad('this has no keys')
  for (const entry of entries) target.entries.push(entry)
}

/** Tuples cannot change in Python; a set can, before it is frozen. */
function isFillable(value: PickleValue): value is PickleSequence | PickleDict | PickleCall {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    ['list', 'set', 'dict', 'call'].includes(value.kind)
  )
}

function get(m: PickleMachine, key: number): void {
  const value = m.memo.get(key)
  if (value === undefined) throw m.bad(`nothing is remembered under ${key}`)
  m.push(value)
}

function stackGlobal(m: PickleMachine): void {
  const name = m.pop()
  const module = m.pop()
  if (typeof name !== 'string' || typeof module !== 'string') throw m.bad('a name is no text')
  m.push({ kind: 'global', module, name })
}

/** The callable lies below its arguments. */
function call(m: PickleMachine, args: PickleValue): void {
  pushCall(m, m.pop(), args)
}

function newWithKeywords(m: PickleMachine): void {
  const keywords = m.pop()
  const args = m.pop()
  const both: PickleSequence = { kind: 'tuple', items: [args, keywords] }
  call(m, isEmpty(keywords) ? args : both)
}

function isEmpty(value: PickleValue): boolean {
  return isFillable(value) && value.kind === 'dict' && value.entries.length === 0
}

function pushCall(m: PickleMachine, callable: PickleValue, args: PickleValue): void {
  m.pushContainer({ kind: 'call', callable, args, state: null, items: [], entries: [] })
}

function build(m: PickleMachine): void {
  const state = m.pop()
  const target = m.top()
  if (typeof target !== 'object' || target === null || !('kind' in target))
    throw m.bad('a state for something that has none')
  if (target.kind === 'call') target.state = state
}

function extension(m: PickleMachine): never {
  throw m.unsupported('an extension code, whose meaning only the program that wrote it knows')
}

function outOfBand(m: PickleMachine): never {
  throw m.unsupported('a buffer that lies outside of the file')
}
