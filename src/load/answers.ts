/** Reads what servers answer. */

import { GruvError } from '../errors.ts'
import type { LimitOptions } from '../limits.ts'

/** @throws GruvError `unreadable` */
export async function fetchOrTell(url: string | URL): Promise<Response> {
  try {
    return await fetch(url)
  } catch (cause) {
    throw new GruvError('unreadable', 'the server cannot be reached', {
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
}

/** The body, where the server has found something. @throws GruvError `unreadable`, `too-large` */
export async function bytesIn(answer: Response, limits?: LimitOptions): Promise<Uint8Array> {
  if (answer.ok) {
    // The browser holds a server to the length it states; all else is read with a limit.
    const length = Number(answer.headers.get('content-length'))
    const plain = length > 0 && length < 2 ** 31 && !answer.headers.has('content-encoding')
    return plain && !limits
      ? new Uint8Array(await answer.arrayBuffer())
      : (await import('./body.ts')).readBody(answer, limits)
  }
  throw new GruvError('unreadable', 'the server did not give the file', {
    expected: 'status 200',
    got: `status ${answer.status} ${answer.statusText}`.trim(),
  })
}
