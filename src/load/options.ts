/** What `load`, and `loadSync` of `gruv/core`, have in common: options, and errors with a file's name. */

import { GruvError, isGruvError, within } from '../errors.ts'
import type { ReadOptions } from '../formats/format.ts'

export interface LoadOptions extends ReadOptions {
  /**
   * Whether to run the model on the reference data inside its file, on this very machine, and
   * refuse it when the outputs are not those that came with it. Only gruv's own files hold any.
   */
  readonly verify?: boolean
  /** For messages, and the model's name where the file has none. */
  readonly name?: string
}

/** The options that are set. */
export function setOptions(options: ReadOptions): ReadOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
  )
}

/** An error with the file's name; one that is not gruv's own is a mistake in a reader. */
export function ofFile(name: string, error: unknown): unknown {
  if (isGruvError(error)) return within(name, error)
  return new GruvError('bad-file', 'this file broke its reader', {
    where: name,
    got: error instanceof Error ? error.message : String(error),
    fix: 'A wrong file should give a better message than this one: please report it.',
    cause: error,
  })
}
