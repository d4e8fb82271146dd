/** Reads files that lie beside a URL. */

import type { LimitOptions } from '../limits.ts'
import { bytesIn, fetchOrTell } from './answers.ts'

/**
 * What lies beside a URL is asked for with the same query (a key, a token), first where the URL was
 * followed to, then where it led away from.
 * @throws GruvError `unreadable`, `too-large`
 */
export async function readBesideUrls(
  urls: readonly string[],
  path: string,
  limits: LimitOptions | undefined,
): Promise<Uint8Array> {
  // Resolved against the page in browsers, where the URL itself may be relative.
  const page = typeof location === 'undefined' ? undefined : location.href
  const escaped = path.split('/').map(encodeURIComponent).join('/')
  const answers: Response[] = []
  for (const base of new Set(urls.map((each) => new URL(each, page).href))) {
    const beside = new URL(escaped, base)
    beside.search = new URL(base).search
    const answer = await fetchOrTell(beside)
    if (answer.ok) return bytesIn(answer, limits)
    answers.push(answer)
  }
  return bytesIn(answers.at(-1)!)
}
