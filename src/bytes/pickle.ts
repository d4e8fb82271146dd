/**
 * Python pickles, protocols 0 to 5, read as descriptions: nothing in them is ever called, imported
 * or built. Where Python would look up a class there is its name; where Python would call it there
 * is a record of what it would be called with. What a name means is up to who reads the result.
 *
 * Opcodes: CPython's `Lib/pickletools.py`, which documents each of them.
 */

import { GruvError } from '../errors.ts'
import { opcodes } from './pickle-opcodes.ts'

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PicklePersistent

export interface PickleSequence {
  readonly kind: 'list' | 'tuple' | 'set'
  readonly items: PickleValue[]
}

export interface PickleDict {
  readonly kind: 'dict'
  /** As they came; of equal keys the last one counts. */
  readonly entries: PickleEntry[]
}

export type PickleEntry = readonly [key: PickleValue, value: PickleValue]

/** A class or function by name. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly module: string
  readonly name: string
}

/** What Python would get by calling something, and would then fill; here it is only written down. */
export interface PickleCall {
  readonly kind: 'call'
  readonly callable: PickleValue
  readonly args: PickleValue
  /** What `__setstate__` would be given. */
  state: PickleValue
  /** What would be appended, or put in under keys. */
  readonly items: PickleValue[]
  readonly entries: PickleEntry[]
}

/** Something that lies outside of the pickle, under an id that its writer chose. */
export interface PicklePersistent {
  readonly kind: 'persistent'
  readonly id: PickleValue
}

/**
 * One opcode can be one byte, and each makes a value. A checkpoint of a large network with its
 * optimizer has some ten thousand tensors of about fifty opcodes.
 */
const MOST_OPCODES = 2 ** 23

/** Lists, tuples, dicts, calls: what costs a hundred bytes of memory for one byte of the file. */
const MOST_CONTAINERS = 2 ** 20

/**
 * The pickle that begins at `start`.
 * @returns its value, and where it ends: files may hold several, one after the other.
 * @throws GruvError `bad-file` with the offset, `unsupported` for extension codes and buffers
 *   outside of the file, `too-large` for more values than any checkpoint has.
 */
export function readPickle(
  bytes: Uint8Array,
  start = 0,
): { readonly value: PickleValue; readonly end: number } {
  const machine = new PickleMachine(bytes, start)
  for (let count = 0; count < MOST_OPCODES; count++) {
    machine.opcodeAt = machine.at
    const code = machine.byte()
    if (code === STOP) return { value: machine.pop(), end: machine.at }
    const opcode = opcodes[code]
    if (opcode === undefined) throw machine.bad(`there is no opcode ${hex(code)}`)
    opcode(machine)
  }
  throw tooLarge(`at most ${MOST_OPCODES} opcodes`)
}

/** `.` */
const STOP = 0x2e

/** The state of the stack machine that a pickle is a program for. */
export class PickleMachine {
  at: number
  opcodeAt: number
  readonly memo = new Map<number, PickleValue>()
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly stack: PickleValue[] = []
  /** Heights of the stack at each MARK. */
  private readonly marks: number[] = []
  private containers = 0

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = start
    this.opcodeAt = start
  }

  byte(): number {
    return this.bytes[this.need(1)]
  }

  uint16(): number {
    return this.view.getUint16(this.need(2), true)
  }

  int32(): number {
    return this.view.getInt32(this.need(4), true)
  }

  uint32(): number {
    return this.view.getUint32(this.need(4), true)
  }

  /** A length of eight bytes, already checked against what is left of the file. */
  length64(): number {
    const length = Number(this.view.getBigUint64(this.need(8), true))
    this.left(length)
    return length
  }

  float64(): number {
    return this.view.getFloat64(this.need(8), false)
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const from = this.need(length)
    return this.bytes.subarray(from, from + length)
  }

  /** Up to the next line feed, which is taken but not given. */
  line(): Uint8Array {
    const end = this.bytes.indexOf(LINE_FEED, this.at)
    if (end < 0) throw this.bad('a line has no end')
    const line = this.bytes.subarray(this.at, end)
    this.at = end + 1
    return line
  }

  push(value: PickleValue): void {
    this.stack.push(value)
  }

  /** Counts what is built: memory must not grow far beyond the size of the file. */
  pushContainer(value: PickleSequence | PickleDict | PickleCall | PicklePersistent): void {
    if (++this.containers > MOST_CONTAINERS) throw tooLarge(`at most ${MOST_CONTAINERS} containers`)
    this.stack.push(value)
  }

  pop(): PickleValue {
    this.checkNotEmpty()
    return this.stack.pop()!
  }

  top(): PickleValue {
    this.checkNotEmpty()
    return this.stack.at(-1)!
  }

  mark(): void {
    this.marks.push(this.stack.length)
  }

  /** Everything above the last mark, which goes too. */
  popToMark(): PickleValue[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw this.bad('there is no mark on the stack')
    return this.stack.splice(mark)
  }

  /** What POP does: takes a value, or the mark if that comes first. */
  drop(): void {
    if (this.marks.length > 0 && this.marks.at(-1) === this.stack.length) this.marks.pop()
    else this.pop()
  }

  bad(problem: string, got?: string): GruvError {
    return new GruvError('bad-file', `the pickle is damaged: ${problem}`, {
      where: `byte ${this.opcodeAt}`,
      ...(got !== undefined && { got }),
    })
  }

  unsupported(what: string): GruvError {
    return new GruvError('unsupported', `the pickle holds ${what}`, {
      where: `byte ${this.opcodeAt}`,
    })
  }

  private checkNotEmpty(): void {
    if (this.stack.length > (this.marks.at(-1) ?? 0)) return
    throw this.bad('a value is taken from an empty stack')
  }

  private need(length: number): number {
    this.left(length)
    this.at += length
    return this.at - length
  }

  private left(length: number): void {
    if (length <= this.bytes.length - this.at) return
    throw new GruvError('bad-file', 'the pickle is cut off', {
      where: `byte ${this.opcodeAt}`,
      expected: `${length} more bytes`,
      got: `${Math.max(0, this.bytes.length - this.at)}`,
    })
  }
}

const LINE_FEED = 0x0a

/** `module.name`, as Python prints a class. */
export function showGlobal({ module, name }: PickleGlobal): string {
  return `${module}.${name}`
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`
}

function tooLarge(expected: string): GruvError {
  return new GruvError('too-large', 'the pickle has more values than any checkpoint needs', {
    expected,
    fix: 'Save the parameters alone: torch.save(model.state_dict(), …).',
  })
}
