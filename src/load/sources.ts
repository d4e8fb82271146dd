/** Fetches the bytes of a model: from a server, from memory, from the file system. */

import { GruvError } from '../errors.ts'
import type { Siblings, SourceFile } from '../formats/format.ts'
import type { LimitOptions } from '../limits.ts'
import type { FileSet, Global } from './file-set.ts'

export type ModelSource =
  | string
  | Global<'URL'>
  | Uint8Array
  | ArrayBuffer
  | Global<'Blob'>
  | Global<'Response'>
  | FileSet

/**
 * The file to read, and how to read what lies beside it.
 * @throws GruvError `unreadable` where it cannot be had, `bad-argument` for what is no source.
 */
export async function arrive(source: ModelSource, limits?: LimitOptions): Promise<SourceFile> {
  // Before anything else that is global: Node takes 30 ms to make its `Response` when it is first named.
  if (isBytes(source)) return { name: nameOf(source), bytes: await bytesOf(source) }
  if (typeof source === 'string' || source instanceof URL) {
    return isPath(source)
      ? (await import('./files.node.ts')).fileAtPath(source, limits)
      : served(await fetchOrTell(source), source, limits)
  }
  if (source instanceof Response) return served(source, undefined, limits)
  return (await import('./file-set.ts')).fileOfSet(source, (file) => bytesOf(file, limits))
}

/** The name of a source, for messages and where the model has none. */
export function nameOf(source: ModelSource): string {
  if (typeof source === 'string') return source
  if (source instanceof URL) return source.href
  if (isBytes(source)) return (source as Partial<File>).name ?? 'model'
  if (source instanceof Response) return source.url || 'response'
  return Object.keys(source ?? {})[0] ?? 'model'
}

async function bytesOf(
  source: Uint8Array | ArrayBuffer | Blob | URL,
  limits?: LimitOptions,
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof URL) return (await arrive(source, limits)).bytes
  return new Uint8Array(await (source instanceof Blob ? source : new Blob([source])).arrayBuffer())
}

function isBytes(source: ModelSource): source is Uint8Array | ArrayBuffer | Blob {
  return source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob
}

/** In Node a string may be a path; everywhere else it is a URL, which may be relative. */
function isPath(source: string | URL): boolean {
  if (source instanceof URL) return source.protocol === 'file:'
  const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  // One letter before a colon is a Windows drive.
  return isNode && !/^[a-z][a-z\d+.-]+:/i.test(source)
}

async function fetchOrTell(url: string | URL): Promise<Response> {
  try {
    return await fetch(url)
  } catch (cause) {
    throw new GruvError('unreadable', 'the server cannot be reached', {
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
}

/** @param asked the URL that was asked for, which may have led elsewhere. */
async function served(
  answer: Response,
  asked?: string | URL,
  limits?: LimitOptions,
): Promise<SourceFile> {
  const bytes = await bytesIn(answer, limits)
  const siblings = besideUrls([answer.url, asked === undefined ? '' : String(asked)], limits)
  const name = asked === undefined ? nameOf(answer) : nameOf(asked)
  return { name, bytes, ...(siblings && { siblings }) }
}

async function bytesIn(answer: Response, limits?: LimitOptions): Promise<Uint8Array> {
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

/**
 * What lies beside a URL is asked for with the same query (a key, a token), first where the URL was
 * followed to, then where it led away from.
 */
function besideUrls(
  urls: readonly string[],
  limits: LimitOptions | undefined,
): Siblings | undefined {
  // Resolved against the page in browsers, where the URL itself may be relative.
  const page = typeof location === 'undefined' ? undefined : location.href
  const bases = [...new Set(urls.filter(Boolean).map((each) => new URL(each, page).href))]
  if (bases.length === 0) return undefined
  return {
    list: async () => null,
    async read(path) {
      const escaped = path.split('/').map(encodeURIComponent).join('/')
      const answers: Response[] = []
      for (const base of bases) {
        const beside = new URL(escaped, base)
        beside.search = new URL(base).search
        const answer = await fetchOrTell(beside)
        if (answer.ok) return bytesIn(answer, limits)
        answers.push(answer)
      }
      return bytesIn(answers.at(-1)!)
    },
  }
}
