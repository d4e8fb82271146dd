/**
 * Bounds what a file and a run may cost. Every limit stands here, with its default and the reason.
 *
 * A default is a number that every honest model stays below, and grows with what was brought: the
 * bytes of a file, the numbers of a model and of its inputs.
 */

import { GruvError } from './errors.ts'

export interface Limits {
  /** Bytes read from one file, device or answer, and bytes that a packed file unpacks to. */
  readonly bytes: number
  /** Layers of a model. A part that is called several times counts as often. */
  readonly nodes: number
  /** Numbers that are held at once: those a reader makes, those alive in a run, a program's memory. */
  readonly elements: number
  /** Steps of arithmetic: of a reader over a graph, of a run over whole tensors. */
  readonly operations: number
}

/** Limits that are not given have their defaults. */
export type LimitOptions = Partial<Limits>

/** A default: `free`, `each` more for each unit that was brought, at most `most`. */
interface Default {
  readonly free: number
  readonly each: number
  readonly most: number
}

type Defaults = Readonly<Record<keyof Limits, Default>>

const UNBOUNDED = Number.POSITIVE_INFINITY

/** Node reads no more into one buffer, and WebAssembly has no more memory by default. */
const TWO_GIB = 2 ** 31 - 1

/** While a file is read; the unit is one byte of it. */
const reading: Defaults = {
  // What shrinks to a hundredth is a bomb or constant, and constants are what small tests hold.
  bytes: { free: 64 * 2 ** 20, each: 100, most: TWO_GIB },
  // The smallest honest node takes 30 bytes. The largest models have some ten thousand.
  nodes: { free: 30_000, each: 1 / 30, most: 250_000 },
  // Constants of a graph (masks, positions, expanded biases), and tied weights read again.
  elements: { free: 2 ** 22, each: 8, most: UNBOUNDED },
  // A walk through a graph is repeated as often as an extent turns out to be known.
  operations: { free: 2 ** 27, each: 64, most: UNBOUNDED },
}

/** While a program is made or runs; the unit is one number of the model or of its inputs. */
const running: Defaults = {
  bytes: { free: TWO_GIB, each: 0, most: TWO_GIB },
  nodes: { free: 250_000, each: 0, most: 250_000 },
  // Half a GiB of float64; a convolution makes some dozens of numbers of each that arrives.
  elements: { free: 2 ** 26, each: 64, most: 2 ** 29 },
  // Seconds. Each number meets thousands of others in a large layer, or in attention.
  operations: { free: 2 ** 32, each: 2 ** 14, most: UNBOUNDED },
}

const units: Readonly<Record<keyof Limits, string>> = {
  bytes: 'bytes',
  nodes: 'layers',
  elements: 'numbers',
  operations: 'operations',
}

export const limitNames = Object.keys(units) as readonly (keyof Limits)[]

/**
 * The most bytes of a source by default. One that says nothing of its size (a device, a pipe) may
 * be endless, and no such model of more than a quarter of a GiB has been seen.
 */
export function mostBytes(stated: number | null): number {
  return stated === null ? 2 ** 28 : TWO_GIB
}

// Bounds of single formats and steps, far beyond any model: no option raises them.

/**
 * Of a pickle. One opcode can be one byte, and each makes a value. A checkpoint of a large network
 * with its optimizer has some ten thousand tensors of about fifty opcodes.
 */
export const MOST_OPCODES = 2 ** 23

/** Of a pickle. A list, tuple, dict or call costs a hundred bytes of memory for one of the file. */
export const MOST_CONTAINERS = 2 ** 20

/**
 * Of a protocol buffer. Two bytes can claim a message, which takes a hundred in memory. A network of
 * ten thousand nodes has a tenth of this.
 */
export const MOST_MESSAGES = 2 ** 20

/**
 * Of a string table of TensorFlow. Three bytes can repeat a key of any length; names of variables
 * share half of it or so.
 */
export const MOST_KEY_EXPANSION = 64

/**
 * Of a key in such a table. Names of variables have hundreds of bytes. JavaScript engines hash very
 * long strings by their length alone (V8 from 2^14 characters on), so that finding one among many
 * would compare it with all of them.
 */
export const MOST_KEY_BYTES = 4096

/**
 * Of one float64 tensor of a run, 2 GiB. What a run holds is counted beforehand; this holds where
 * nothing counts, as in gradients.
 */
export const MOST_IN_ONE_TENSOR = 2 ** 28

/** Counts what has been spent of each limit, and refuses what goes beyond. */
export class Budget {
  readonly #given: LimitOptions
  readonly #defaults: Defaults
  readonly #spent: Record<keyof Limits, number> = { bytes: 0, nodes: 0, elements: 0, operations: 0 }
  #brought: number

  private constructor(given: LimitOptions | undefined, defaults: Defaults, brought: number) {
    this.#given = given ?? {}
    this.#defaults = defaults
    this.#brought = brought
  }

  /** For a reader of a file of so many bytes. */
  static reading(limits: LimitOptions | undefined, bytes: number): Budget {
    return new Budget(limits, reading, bytes)
  }

  /** For a program or run; `numbers` are those of the model and of the inputs. */
  static running(limits: LimitOptions | undefined, numbers: number): Budget {
    return new Budget(limits, running, numbers)
  }

  /** Another file that belongs to the model has arrived: its bytes count too. */
  grow(units: number): void {
    this.#brought += units
  }

  most(limit: keyof Limits): number {
    const { free, each, most } = this.#defaults[limit]
    return this.#given[limit] ?? Math.min(most, Math.floor(free + each * this.#brought))
  }

  /** Spends some of a limit. @throws GruvError `too-large`, before anything is made. */
  spend(limit: keyof Limits, count: number, where: string): void {
    this.#spent[limit] += count
    this.check(limit, this.#spent[limit], where)
  }

  /** @throws GruvError `too-large` where a count goes beyond a limit by itself. */
  check(limit: keyof Limits, count: number, where: string): void {
    const most = this.most(limit)
    // Not `>`: a count may be NaN where sizes overflow.
    if (!(count <= most)) throw beyond(limit, most, count, where)
  }
}

/** @throws GruvError `bad-argument` for limits that do not exist or are no counts. */
export function checkLimits(limits: LimitOptions): void {
  for (const [name, value] of Object.entries(limits)) {
    const known = limitNames.some((each) => each === name)
    if (known && (value === undefined || value >= 0)) continue
    throw new GruvError('bad-argument', known ? 'a limit is a count' : 'there is no such limit', {
      where: `limits.${name}`,
      expected: known ? 'a number from 0' : `one of ${limitNames.join(', ')}`,
      ...(known && { got: String(value) }),
    })
  }
}

/** A refusal: which limit, what was counted, where, and how to raise it. */
export function beyond(limit: keyof Limits, most: number, got: number, where?: string): GruvError {
  return new GruvError('too-large', `this goes beyond the limit of ${limit}`, {
    where,
    expected: `at most ${most.toLocaleString('en')} ${units[limit]}`,
    got: `${got.toLocaleString('en')}`,
    fix: `If the model is meant to be so large, raise the limit: \`--limit ${limit}=${suggestion(got)}\`, or the option \`limits\` of load and compile.`,
  })
}

/** The next round number: two digits, and the second above what was counted. */
function suggestion(got: number): string {
  if (!Number.isFinite(got)) return 'Infinity'
  return (got * 2).toExponential(0).replace('+', '')
}
