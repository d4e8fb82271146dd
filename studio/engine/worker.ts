/** The engine's thread: everything that takes time or memory happens here. */

import { isGruvError } from '../../src/index.ts'
import { calls } from './calls.ts'
import type { CallName, FromWorker, PlainError, ToWorker } from './protocol.ts'

globalThis.addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  const { id, call, args } = data
  try {
    const run = calls[call as CallName] as (args: unknown) => Promise<unknown>
    answer({ id, result: await run(args) })
  } catch (error) {
    answer({ id, error: plain(error) })
  }
})

function answer(message: FromWorker): void {
  postMessage(message)
}

function plain(error: unknown): PlainError {
  if (isGruvError(error)) {
    const { code, problem, where = null, expected = null, got = null, fix = null } = error
    return { code, problem, where, expected, got, fix }
  }
  return {
    code: null,
    problem: 'this should not have happened',
    where: null,
    expected: null,
    got: error instanceof Error ? error.message : String(error),
    fix: 'Please report it, with the file if you can.',
  }
}
