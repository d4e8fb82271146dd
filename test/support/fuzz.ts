/**
 * Feeds broken files to readers: for any bytes, a reader must soon return a value or throw a
 * GruvError.
 */

import { isGruvError } from '../../src/errors.ts'
import type { Mutation } from './mutations.ts'
import { random } from './random.ts'

export type Reader = (bytes: Uint8Array) => unknown

export interface FuzzReport {
  readonly runs: number
  /** Runs that ended in a GruvError, and runs that gave a value. */
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

interface Chance {
  readonly runs: number
  readonly seed: number
}

/** Random whole numbers from 0 up to a limit, without it. */
function wholeNumbers({ seed }: Chance): (limit: number) => number {
  const next = random(seed)
  return (limit) => Math.floor(next() * limit)
}

/** One to four bytes changed at random places: to any value, by one bit, or to an extreme. */
export function flipBytes(bytes: Uint8Array, read: Reader, chance: Chance): Promise<FuzzReport> {
  const below = wholeNumbers(chance)
  return runAll(chance.runs, read, (run) => {
    const broken = bytes.slice()
    const changes: string[] = []
    for (let left = 1 + below(4); left > 0; left--) {
      const at = below(bytes.length)
      broken[at] = [below(256), broken[at] ^ (1 << below(8)), 0, 0xff][below(4)]
      changes.push(`${at}: ${broken[at]}`)
    }
    return { broken, how: `run ${run} of seed ${chance.seed}, bytes ${changes.join(', ')}` }
  })
}

/** Changed by what it means, see `mutations.ts`. */
export function mutate(
  bytes: Uint8Array,
  read: Reader,
  chance: Chance,
  mutation: Mutation,
): Promise<FuzzReport> {
  const below = wholeNumbers(chance)
  return runAll(chance.runs, read, async (run) => ({
    broken: await mutation(bytes, below),
    how: `run ${run} of seed ${chance.seed}`,
  }))
}

/** A byte left out or doubled, or a part of the file moved elsewhere. */
export function shiftBytes(bytes: Uint8Array, read: Reader, chance: Chance): Promise<FuzzReport> {
  const below = wholeNumbers(chance)
  return runAll(chance.runs, read, (run) => {
    const list = Array.from(bytes)
    const stretch = list.splice(below(list.length), below(16))
    for (let copies = below(3); copies > 0; copies--) list.splice(below(list.length), 0, ...stretch)
    return { broken: Uint8Array.from(list), how: `run ${run} of seed ${chance.seed}` }
  })
}

/** Puts a value at a place in a JSON value; undefined takes away what is there. */
export function put(json: object, place: readonly string[], value: unknown): void {
  let here = json as Record<string, unknown>
  for (const key of place.slice(0, -1)) here = here[key] as typeof here
  here[place.at(-1)!] = value
}

interface Broken {
  readonly broken: Uint8Array
  readonly how: string
}

/** What no file may cost: seconds of CPU, and KiB of memory. */
const MOST_SECONDS = 10
const MOST_KIB = 2 ** 20

async function runAll(
  runs: number,
  read: Reader,
  breakIt: (run: number) => Broken | Promise<Broken>,
): Promise<FuzzReport> {
  let refused = 0
  let slowestMilliseconds = 0
  for (let run = 0; run < runs; run++) {
    const { broken, how } = await breakIt(run)
    const started = performance.now()
    const before = process.resourceUsage()
    try {
      await read(broken)
    } catch (error) {
      // `load` makes a GruvError of every error, and marks those that it did not expect.
      if (!isGruvError(error) || /broke its reader|should not have happened/.test(error.message))
        throw new Error(`not a GruvError: ${how}`, { cause: error })
      if (error.message.length > 2000) throw new Error(`a flood of a message: ${how}`)
      refused++
    }
    const after = process.resourceUsage()
    const seconds = (after.userCPUTime - before.userCPUTime) / 1e6
    const kib = after.maxRSS - before.maxRSS
    if (seconds > MOST_SECONDS || kib > MOST_KIB)
      throw new Error(`${seconds.toFixed(1)} s, ${kib} KiB: ${how}`)
    slowestMilliseconds = Math.max(slowestMilliseconds, performance.now() - started)
  }
  return { runs, refused, accepted: runs - refused, slowestMilliseconds }
}
