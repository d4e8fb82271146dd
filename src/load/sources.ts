/** Fetches the bytes of a model: from a server, from memory, from the file system. */

import type { Siblings, SourceFile } from '../formats/format.ts'
import type { LimitOptions } from '../limits.ts'
import { bytesIn, fetchOrTell } from './answers.ts'
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

/** @param asked the URL that was asked for, which may have led elsewhere. */
async function served(
  answer: Response,
  asked?: string | URL,
  limits?: LimitOptions,
): Promise<SourceFile> {
  const bytes = await bytesIn(answer, limits)
  const name = asked === undefined ? nameOf(answer) : nameOf(asked)
  const urls = [answer.url, String(asked ?? '')].filter(Boolean)
  if (urls.length === 0) return { name, bytes }
  const read: Siblings['read'] = async (path) =>
    (await import('./beside-urls.ts')).readBesideUrls(urls, path, limits)
  return { name, bytes, siblings: { list: async () => null, read } }
}
