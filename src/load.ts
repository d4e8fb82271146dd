/** From wherever the bytes are to a Model. */

import { GruvError, isGruvError, within } from './errors.ts'
import type { ArrayNames, ReadOptions } from './formats/format.ts'
import { readModel } from './formats/index.ts'
import type { ConventionOptions } from './model/conventions.ts'
import type { Model } from './model/types.ts'

export interface LoadOptions {
  /** What is known of a file that does not say it itself. */
  readonly conventions?: ConventionOptions
  /** Which array is which, in a container whose names do not tell. */
  readonly names?: ArrayNames
  /** For messages, and the model's name where the file has none. */
  readonly name?: string
}

/** Files by name, as a folder drop or a test gives them. The first one is the model. */
export type FileSet = Readonly<Record<string, Uint8Array | Blob>>

export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob | Response | FileSet

/**
 * Reads a trained model from a path (Node), a URL, or bytes; the format is recognised by content.
 * @throws GruvError with the file's name in `where`; nothing in a file is ever executed.
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const name = options.name ?? nameOf(source)
  try {
    const bytes = await bytesOf(source)
    const readOptions: ReadOptions = {
      ...(options.conventions && { conventions: options.conventions }),
      ...(options.names && { names: options.names }),
    }
    return await readModel({ name, bytes }, readOptions)
  } catch (error) {
    if (isGruvError(error)) throw within(name, error)
    throw new GruvError('bad-file', 'this file broke its reader', {
      where: name,
      got: error instanceof Error ? error.message : String(error),
      fix: 'A wrong file should give a better message than this one: please report it.',
      cause: error,
    })
  }
}

async function bytesOf(source: ModelSource): Promise<Uint8Array> {
  if (typeof source === 'string') {
    return isUrl(source) || !isNode() ? fetchBytes(source) : readPath(source)
  }
  if (source instanceof URL)
    return source.protocol === 'file:' ? readPath(source) : fetchBytes(source)
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer())
  if (source instanceof Response) return responseBytes(source)
  const files = Object.values(source ?? {})
  if (files.length === 1 && (files[0] instanceof Uint8Array || files[0] instanceof Blob))
    return bytesOf(files[0])
  throw new GruvError('bad-argument', 'nothing can be loaded from this', {
    expected: 'a path, a URL, bytes, a Blob, a Response, or one file by name',
    got: files.length > 1 ? `${files.length} files` : typeof source,
  })
}

async function readPath(path: string | URL): Promise<Uint8Array> {
  return (await import('./files.node.ts')).readFileBytes(path)
}

async function fetchBytes(url: string | URL): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(url)
  } catch (cause) {
    throw new GruvError('unreadable', 'the server cannot be reached', {
      got: (cause as Error).message,
      cause,
    })
  }
  return responseBytes(response)
}

async function responseBytes(response: Response): Promise<Uint8Array> {
  if (!response.ok) {
    throw new GruvError('unreadable', 'the server did not give the file', {
      expected: 'status 200',
      got: `status ${response.status} ${response.statusText}`.trim(),
    })
  }
  return new Uint8Array(await response.arrayBuffer())
}

function nameOf(source: ModelSource): string {
  if (typeof source === 'string') return source
  if (source instanceof URL) return source.href
  if (typeof File !== 'undefined' && source instanceof File) return source.name
  if (source instanceof Response) return source.url || 'response'
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob)
    return 'model'
  return Object.keys(source ?? {})[0] ?? 'model'
}

/** One letter before a colon is a Windows drive. */
function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:/i.test(text)
}

function isNode(): boolean {
  return typeof process !== 'undefined' && process.versions?.node !== undefined
}
