/**
 * Wrong files on purpose: whatever the bytes, a reader gives a value or throws a GruvError, soon.
 */

import { isGruvError } from '../../src/errors.ts'
import { random } from './random.ts'

export type Reader = (bytes: Uint8Array) => unknown

export interface FuzzReport {
  readonly runs: number
  /** Runs that ended in a GruvError, and those that gave a value. */
  readonly refused: number
  readonly accepted: number
  /** Reported, not asserted: machines differ. */
  readonly slowestMilliseconds: number
}

/** The file cut off at every length, from nothing to all but its last byte. */
export function truncateEverywhere(bytes: Uint8Array, read: Reader): Promise<FuzzReport> {
  return runAll(bytes.length, read, (length) => ({
    broken: bytes.slice(0, length),
    how: `cut off after ${length} of ${bytes.length} bytes`,
  }))
}

/** One to four bytes changed at random places: to any value, by one bit, or to an extreme. */
export function flipBytes(
  bytes: Uint8Array,
  read: Reader,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Promise<FuzzReport> {
  const next = random(seed)
  const below = (limit: number): number => Math.floor(next() * limit)
  return runAll(runs, read, (run) => {
    const broken = bytes.slice()
    const changes: string[] = []
    for (let left = 1 + below(4); left > 0; left--) {
      const at = below(bytes.length)
      broken[at] = [below(256), broken[at] ^ (1 << below(8)), 0, 0xff][below(4)]
      changes.push(`${at}: ${broken[at]}`)
    }
    return { broken, how: `run ${run} of seed ${seed}, bytes ${changes.join(', ')}` }
  })
}

/** A byte left out, doubled, or a stretch of the file moved elsewhere. */
export function shiftBytes(
  bytes: Uint8Array,
  read: Reader,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Promise<FuzzReport> {
  const next = random(seed)
  const below = (limit: number): number => Math.floor(next() * limit)
  return runAll(runs, read, (run) => {
    const list = Array.from(bytes)
    const stretch = list.splice(below(list.length), below(16))
    for (let copies = below(3); copies > 0; copies--) list.splice(below(list.length), 0, ...stretch)
    return { broken: Uint8Array.from(list), how: `run ${run} of seed ${seed}` }
  })
}

async function runAll(
  runs: number,
  read: Reader,
  breakIt: (run: number) => { readonly broken: Uint8Array; readonly how: string },
): Promise<FuzzReport> {
  let refused = 0
  let slowestMilliseconds = 0
  for (let run = 0; run < runs; run++) {
    const { broken, how } = breakIt(run)
    const started = performance.now()
    try {
      await read(broken)
    } catch (error) {
      // `load` makes a GruvError of every error, and says of those it did not expect what they are.
      if (!isGruvError(error) || error.message.includes('broke its reader'))
        throw new Error(`not a GruvError: ${how}`, { cause: error })
      if (error.message.length > 2000) throw new Error(`a flood of a message: ${how}`)
      refused++
    }
    slowestMilliseconds = Math.max(slowestMilliseconds, performance.now() - started)
  }
  return { runs, refused, accepted: runs - refused, slowestMilliseconds }
}
