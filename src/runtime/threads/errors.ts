/** Packs errors for their way out of a worker, and unpacks them. */

import { GruvError, isGruvError } from '../../errors.ts'
import type { PostedError } from './messages.ts'

export function pack(error: unknown): PostedError {
  if (!isGruvError(error))
    return { code: null, problem: error instanceof Error ? error.message : `${error}` }
  const { code, problem, where, expected, got, fix } = error as GruvError
  return { code, problem, where, expected, got, fix }
}

export function unpack(posted: PostedError): Error {
  if (posted.code === null) return new Error(posted.problem)
  const { code, problem, ...details } = posted
  return new GruvError(code, problem, details)
}
