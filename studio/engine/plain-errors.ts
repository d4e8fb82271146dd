/** Errors as plain data, between workers and the page. */

import { isGruvError } from '../../src/index.ts'
import type { PlainError } from './protocol.ts'

/** An error from a worker, with the parts of a GruvError. */
export class EngineError extends Error {
  readonly plain: PlainError

  constructor(plain: PlainError) {
    super(plain.problem)
    this.plain = plain
  }
}

export function plain(error: unknown): PlainError {
  if (error instanceof EngineError) return error.plain
  if (isGruvError(error)) {
    const { code, problem, where = null, expected = null, got = null, fix = null } = error
    return { code, problem, where, expected, got, fix }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (/dynamically imported module|module script/.test(message)) {
    return {
      code: null,
      problem: 'a part of the studio could not be loaded',
      where: null,
      expected: null,
      got: message,
      fix: 'See whether the server still runs, and reload the page.',
    }
  }
  return {
    code: null,
    problem: 'this should not have happened',
    where: null,
    expected: null,
    got: message,
    fix: 'Please report it, with the file if you can.',
  }
}
