/** The worker, which does everything that takes time or memory. */

import { calls } from './calls.ts'
import { plain } from './plain-errors.ts'
import type { CallName, FromWorker, ToWorker } from './protocol.ts'

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
