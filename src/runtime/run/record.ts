/** Writes the state of a sequence as a record of bytes, and reads it: docs/state.md. */

import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import type { Memory, Plan } from '../plan/types.ts'
import { fingerprintOf } from './fingerprint.ts'

/** The records of a program. */
export interface StateRecords {
  /** Bytes of one record. */
  readonly bytes: number
  /** Of the record that was read last: how many steps its sequence has taken, whether it has begun. */
  steps: number
  begun: boolean
  setModel(model: Model): void
  /** @param row the state row in the program's memory. */
  save(row: number, steps: number, begun: boolean, to: Uint8Array, at: number): void
  /**
   * Sets a state row, `steps` and `begun`.
   * @throws GruvError as `check`.
   */
  load(row: number, from: Uint8Array, at: number): void
  /**
   * Where the record's words begin.
   * @throws GruvError `bad-argument` for bytes that are no record of this model.
   */
  check(from: Uint8Array, at: number): number
}

/** "GRUS", little endian. */
const MAGIC = 0x53555247
const VERSION = 1
/** In the second word: the states are no longer those that a sequence begins with. */
const BEGUN = 1 << 24
/** Where the fingerprint of the model and the count of steps stand; each is a u64. */
export const FINGERPRINT_AT = 8
export const STEPS_AT = 16
export const COUNT_BYTES = 8
const HEADER = 24

/** Writing and reading allocate nothing as long as the records lie in the same array. */
export function createRecords({ states }: Plan, memory: Memory, model: Model): StateRecords {
  const width = memory.BYTES_PER_ELEMENT
  const count = states.reduce((sum, { size }) => sum + size, 0)
  const bytes = 8 * Math.ceil((HEADER + width * count) / 8)
  const kind = VERSION | (width << 16)
  const last = bytes / 4 - 1
  /** From words to numbers: a float64 takes two. */
  const pair = width === 8 ? 1 : 0
  /** Takes records whose numbers do not lie at multiples of their width. */
  const aside = new Uint8Array(bytes)
  /** What lies in the array of the records, from the first byte of its buffer on. */
  let host: Uint8Array | null = null
  let begin = 0
  let words: Int32Array = new Int32Array(0)
  let numbers = memory
  // Computed when they are first needed, which takes as long as the model is large.
  let fingerprint: Int32Array | null = null

  /** Between a record and a state row, which holds each state padded. */
  const copyStates = (
    record: Memory,
    first: number,
    memory: Memory,
    row: number,
    out: boolean,
  ): void => {
    let at = first
    for (let s = 0; s < states.length; s++) {
      const { size, offset } = states[s]
      const place = row + offset
      if (out) for (let i = 0; i < size; i++) record[at + i] = memory[place + i]
      else for (let i = 0; i < size; i++) memory[place + i] = record[at + i]
      at += size
    }
  }

  /** Where the words of a record begin, or those aside. */
  const find = (array: Uint8Array, at: number): number => {
    if (!(at >= 0 && at % 8 === 0 && at + bytes <= array.length)) {
      throw new GruvError('bad-argument', 'no room for a state', {
        expected: `${bytes} bytes from a multiple of 8 on`,
        got: `byte ${at} of ${array.length}`,
      })
    }
    fingerprint ??= fingerprintOf(model)
    if (array !== host) {
      host = array
      begin = array.byteOffset % 8 === 0 ? array.byteOffset : -1
      const { buffer } = begin < 0 ? aside : array
      words = new Int32Array(buffer, 0, buffer.byteLength >> 2)
      const Numbers = memory.constructor as Float32ArrayConstructor | Float64ArrayConstructor
      numbers = new Numbers(buffer as ArrayBuffer, 0, Math.floor(buffer.byteLength / width))
    }
    return begin < 0 ? 0 : (begin + at) >> 2
  }

  const records: StateRecords = {
    bytes,
    steps: 0,
    begun: false,
    setModel(next) {
      model = next
      fingerprint = null
    },
    save(row, steps, begun, to, where) {
      const first = find(to, where)
      // Behind an odd count of float32.
      words[first + last] = 0
      words[first] = MAGIC
      words[first + 1] = begun ? kind | BEGUN : kind
      words[first + 2] = fingerprint![0]
      words[first + 3] = fingerprint![1]
      words[first + 4] = steps
      words[first + 5] = steps / 2 ** 32
      copyStates(numbers, (first + HEADER / 4) >> pair, memory, row, true)
      if (begin < 0) to.set(aside, where)
    },
    load(row, from, where) {
      const first = records.check(from, where)
      records.steps = (words[first + 4] >>> 0) + (words[first + 5] >>> 0) * 2 ** 32
      records.begun = (words[first + 1] & BEGUN) !== 0
      copyStates(numbers, (first + HEADER / 4) >> pair, memory, row, false)
    },
    check(from, at) {
      const first = find(from, at)
      if (begin < 0) for (let i = 0; i < bytes; i++) aside[i] = from[at + i]
      const said = words[first + 1] & ~BEGUN
      if (
        words[first] === MAGIC &&
        said === kind &&
        words[first + 2] === fingerprint![0] &&
        words[first + 3] === fingerprint![1]
      )
        return first
      const isRecord = words[first] === MAGIC && said >>> 24 === 0
      throw new GruvError('bad-argument', 'this is no state of this model', {
        expected: `version ${VERSION}, ${8 * width} bits, this model`,
        got: !isRecord
          ? 'other bytes'
          : said === kind
            ? 'another model'
            : `version ${said & 0xffff}, ${8 * (said >>> 16)} bits`,
      })
    },
  }
  return records
}
