/** Reads the body of an answer up to a limit: a server may send without an end. */

import { beyond, type LimitOptions, mostBytes } from '../limits.ts'

/** @throws GruvError `too-large` */
export async function readBody(answer: Response, limits?: LimitOptions): Promise<Uint8Array> {
  const stated = Number(answer.headers.get('content-length'))
  const packed = answer.headers.has('content-encoding')
  const most = limits?.bytes ?? mostBytes(stated > 0 && !packed ? stated : null)
  if (!packed && stated > most) throw beyond('bytes', most, stated)
  const parts: Uint8Array[] = []
  let length = 0
  const reader = answer.body?.getReader()
  for (;;) {
    const part = await reader?.read()
    if (part?.value === undefined) break
    length += part.value.length
    if (length > most) {
      await reader?.cancel()
      throw beyond('bytes', most, length)
    }
    parts.push(part.value)
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())
}
