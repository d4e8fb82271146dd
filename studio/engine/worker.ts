/** The worker, which does everything that takes time or memory. */

import { isGruvError } from '../../src/index.ts'
import { calls } from './calls.ts'
import type { CallName, FromWorker, PlainError, ToWorker } from './protocol.ts'

globalThis.addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  const { id, call, args } = data
  try {
    const run = calls[call as CallName] as (args: unknown) => Promise<unknown>
    const result = await run(args)
    postMessage({ id, result } satisfies FromWorker, { transfer: copiesIn(result) })
  } catch (error) {
    answer({ id, error: plain(error) })
  }
})

function answer(message: FromWorker): void {
  postMessage(message)
}

/** The buffers that were made for the answer only, which are transferred instead of copied. */
function copiesIn(result: unknown): ArrayBuffer[] {
  if (!Array.isArray(result)) return []
  return result.flatMap((each) => (each?.data instanceof Float32Array ? [each.data.buffer] : []))
}

function plain(error: unknown): PlainError {
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
