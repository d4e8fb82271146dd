/**
 * The stack machine that a pickle is a program for: its place in the bytes, its stack, its memo.
 */

import { GruvError } from '../../errors.ts'
import { MOST_CONTAINERS } from '../../limits.ts'
import type {
  PickleCall,
  PickleDict,
  PicklePersistent,
  PickleSequence,
  PickleValue,
} from './values.ts'

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

  /** A length of eight bytes, already checked against the rest of the file. */
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

  /** The bytes up to the next line feed, which is consumed but not returned. */
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

  /** Pushes and counts: memory must not grow far beyond the size of the file. */
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

  /** Takes everything above the last mark, and the mark. */
  popToMark(): PickleValue[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw this.bad('there is no mark on the stack')
    return this.stack.splice(mark)
  }

  /** POP: drops the top value, or the mark if that is on top. */
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

export function tooLarge(expected: string): GruvError {
  return new GruvError('too-large', 'the pickle has more values than any checkpoint needs', {
    expected,
    fix: 'Save the parameters alone: torch.save(model.state_dict(), …).',
  })
}
