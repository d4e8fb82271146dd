/** From wherever the bytes are to a Model. */

import { GruvError, isGruvError, within } from './errors.ts'
import type { ArrayNames, ReadOptions, SourceFile } from './formats/format.ts'
import { readModel } from './formats/index.ts'
import type { Wiring } from './formats/wiring.ts'
import type { ConventionOptions } from './model/conventions.ts'
import type { Model } from './model/types.ts'

export interface LoadOptions {
  /** What is known of a file that does not say it itself. */
  readonly conventions?: ConventionOptions
  /** Which array is which, in a container whose names do not tell. */
  readonly names?: ArrayNames
  /** The one layer to take, where a file holds the weights of several and no graph. */
  readonly layer?: string
  /** The layer after which the graph ends, such as the last one before something unsupported. */
  readonly until?: string
  /** Which module of a file that holds several, such as a PyTorch state dict. */
  readonly module?: string
  /** How the modules of such a file follow each other; see `compose`. */
  readonly wiring?: Wiring
  /**
   * Whether to run the model on the reference data inside its file, on this very machine, and
   * refuse it when the outputs are not those that came with it. Only gruv's own files hold any.
   */
  readonly verify?: boolean
  /** For messages, and the model's name where the file has none. */
  readonly name?: string
}

/**
 * Files by their paths, as a folder drop or a test gives them; of a URL only what is read is
 * fetched. The model is the one that is called as its format says (`model.json`,
 * `saved_model.pb`), else the first.
 */
export type FileSet = Readonly<Record<string, Uint8Array | Blob | URL>>

export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob | Response | FileSet

/**
 * Reads a trained model from a path (Node; a file, or a folder), a URL, or bytes; the format is
 * recognised by content. Files that belong to it are looked for beside it.
 * @throws GruvError with the file's name in `where`; nothing in a file is ever executed. With
 *   `verify`, `differs` when the outputs are not those in the file, `not-found` when it has none.
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  let name = options.name ?? nameOf(source)
  try {
    const { verify, name: _, ...said } = options
    const readOptions: ReadOptions = Object.fromEntries(
      Object.entries(said).filter(([, value]) => value !== undefined && value !== null),
    )
    const file = await fileOf(source)
    name = options.name ?? file.name ?? name
    const model = await readModel({ ...file, name }, readOptions)
    if (verify) (await import('./verify/reference.ts')).verifyReference(model)
    return model
  } catch (error) {
    if (isGruvError(error)) throw within(name, error)
    throw (await sources()).broken(name, error)
  }
}

/** Where bytes come from but from memory and by `fetch`. */
function sources(): Promise<typeof import('./sources.ts')> {
  return import('./sources.ts')
}

/** A file with its name, where the source alone does not tell it. */
export type Found = Omit<SourceFile, 'name'> & { readonly name?: string }

async function fileOf(source: ModelSource): Promise<Found> {
  if (typeof source === 'string' || source instanceof URL) {
    const local = source instanceof URL ? source.protocol === 'file:' : !isUrl(source) && isNode()
    return local ? (await sources()).fileAtPath(source) : fileAtUrl(source)
  }
  // Before anything else that is global: Node takes 30 ms to make its `Response` when it is first named.
  if (isBytes(source)) return { bytes: await bytesOf(source) }
  if (source instanceof Response) return fileOfResponse(source, source.url)
  return (await sources()).fileOfSet(source)
}

function isBytes(source: ModelSource): source is Uint8Array | ArrayBuffer | Blob {
  return source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob
}

export async function bytesOf(source: Uint8Array | ArrayBuffer | Blob | URL): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof URL) return (await fileOf(source)).bytes
  return new Uint8Array(source instanceof Blob ? await source.arrayBuffer() : source)
}

async function fileAtUrl(url: string | URL): Promise<Found> {
  return fileOfResponse(await fetchUrl(url), String(url))
}

/**
 * What lies beside a URL is asked for with the same query (a key, a token), first where the URL was
 * followed to, then where it led away from.
 */
async function fileOfResponse(response: Response, url: string): Promise<Found> {
  const bytes = await responseBytes(response)
  // Resolved against the page in browsers, where the URL itself may be relative.
  const page = typeof location === 'undefined' ? undefined : location.href
  const places = [response.url, url].filter((each) => each !== '')
  const bases = new Set(places.map((each) => new URL(each, page).href))
  if (bases.size === 0) return { bytes }
  return {
    bytes,
    siblings: {
      list: async () => null,
      read: async (path) => {
        const escaped = path.split('/').map(encodeURIComponent).join('/')
        let answer: Response | undefined
        for (const base of bases) {
          const beside = new URL(escaped, base)
          beside.search = new URL(base).search
          answer = await fetchUrl(beside)
          if (answer.ok) break
        }
        return responseBytes(answer!)
      },
    },
  }
}

async function fetchUrl(url: string | URL): Promise<Response> {
  try {
    return await fetch(url)
  } catch (cause) {
    throw new GruvError('unreadable', 'the server cannot be reached', {
      got: (cause as Error).message,
      cause,
    })
  }
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
  if (isBytes(source)) return 'model'
  if (source instanceof Response) return source.url || 'response'
  return Object.keys(source ?? {})[0] ?? 'model'
}

/** One letter before a colon is a Windows drive. */
function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:/i.test(text)
}

function isNode(): boolean {
  return typeof process !== 'undefined' && process.versions?.node !== undefined
}
