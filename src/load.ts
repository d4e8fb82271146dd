/** From wherever the bytes are to a Model. */

import { GruvError, isGruvError, within } from './errors.ts'
import type { ArrayNames, ReadOptions, SourceFile } from './formats/format.ts'
import { leadingFile, readModel } from './formats/index.ts'
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
  const name = options.name ?? nameOf(source)
  try {
    const file = await fileOf(source)
    const readOptions: ReadOptions = {
      ...(options.conventions && { conventions: options.conventions }),
      ...(options.names && { names: options.names }),
      ...(options.layer !== undefined && { layer: options.layer }),
      ...(options.until !== undefined && { until: options.until }),
      ...(options.module !== undefined && { module: options.module }),
      ...(options.wiring && { wiring: options.wiring }),
    }
    const model = await readModel({ ...file, name }, readOptions)
    if (options.verify) await verifyReference(model)
    return model
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

async function verifyReference(model: Model): Promise<void> {
  const { reference } = model
  if (reference === null) {
    throw new GruvError('not-found', 'the file holds no reference data', {
      where: 'verify',
      expected: 'a gruv model with inputs and the outputs they should give',
      fix: '`gruv convert MODEL OUT.safetensors --reference INPUT,EXPECTED` puts them in.',
    })
  }
  const { verify } = await import('./verify/index.ts')
  const { inputs, outputs } = reference
  const verdict = verify(model, { input: inputs, expected: outputs })
  for (const [name, { pass, maxAbsolute, tolerance, outside, compared }] of Object.entries(
    verdict.outputs,
  )) {
    if (pass) continue
    throw new GruvError('differs', 'the outputs are not those that came with the model', {
      where: `output ${name}`,
      expected: `at most ${tolerance.largest.toExponential(1)} off: ${tolerance.why}`,
      got: `${maxAbsolute.toExponential(2)}, and ${outside} of ${compared} numbers out of tolerance`,
      fix: 'The file was changed, or this machine computes wrongly.',
    })
  }
}

type Found = Omit<SourceFile, 'name'>

async function fileOf(source: ModelSource): Promise<Found> {
  if (typeof source === 'string') {
    return isUrl(source) || !isNode() ? fileAtUrl(source) : fileAtPath(source)
  }
  if (source instanceof URL)
    return source.protocol === 'file:' ? fileAtPath(source) : fileAtUrl(source)
  if (source instanceof Response) return fileOfResponse(source, source.url)
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob)
    return { bytes: await bytesOf(source) }
  return fileOfSet(source)
}

async function bytesOf(source: Uint8Array | ArrayBuffer | Blob | URL): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof URL) return responseBytes(await fetchUrl(source))
  return new Uint8Array(source instanceof Blob ? await source.arrayBuffer() : source)
}

async function fileAtPath(source: string | URL): Promise<Found> {
  const { isFolder, listFiles, pathOf, readFileBytes, siblingsOf } = await import('./files.node.ts')
  const path = pathOf(source)
  if (!(await isFolder(path))) {
    return { bytes: await readFileBytes(path), siblings: siblingsOf(path) }
  }
  const files = await listFiles(path)
  const first = leadingFile(files) ?? (files.length === 1 ? files[0] : null)
  if (first === null) {
    throw new GruvError(
      'unreadable',
      'this is a folder, and no file in it is a model by its name',
      {
        expected: 'a file, or a folder with a model of several files',
        got: files.slice(0, 8).join(', ') || 'an empty folder',
        fix: 'Give the path of the model file.',
      },
    )
  }
  const main = `${path.replace(/[\\/]+$/, '')}/${first}`
  return { bytes: await readFileBytes(main), siblings: siblingsOf(main) }
}

async function fileAtUrl(url: string | URL): Promise<Found> {
  const response = await fetchUrl(url)
  return fileOfResponse(response, response.url || String(url))
}

async function fileOfResponse(response: Response, url: string): Promise<Found> {
  const bytes = await responseBytes(response)
  if (url === '') return { bytes }
  // Resolved against the page in browsers, where the URL itself may be relative.
  const base = new URL(url, typeof location === 'undefined' ? undefined : location.href)
  return {
    bytes,
    siblings: {
      list: async () => null,
      read: async (path) => {
        const escaped = path.split('/').map(encodeURIComponent).join('/')
        return responseBytes(await fetchUrl(new URL(escaped, base)))
      },
    },
  }
}

async function fileOfSet(set: FileSet): Promise<Found> {
  const files = new Map(
    Object.entries(set ?? {}).map(([path, file]) => [path.replaceAll('\\', '/'), file]),
  )
  const given = [...files.keys()]
  const usable = [...files.values()].every(
    (file) => file instanceof Uint8Array || file instanceof Blob || file instanceof URL,
  )
  const main = leadingFile(given) ?? given[0]
  if (typeof set !== 'object' || main === undefined || !usable) {
    throw new GruvError('bad-argument', 'nothing can be loaded from this', {
      expected: 'a path, a URL, bytes, a Blob, a Response, or files by name',
      got: typeof set,
    })
  }
  const folder = main.slice(0, main.lastIndexOf('/') + 1)
  return {
    bytes: await bytesOf(files.get(main)!),
    siblings: {
      list: async () =>
        given.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length)),
      read: async (path) => {
        const file = files.get(folder + path)
        if (file !== undefined) return bytesOf(file)
        throw new GruvError('not-found', 'this file is not among those given', {
          got: given.slice(0, 8).join(', '),
        })
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
  if (source instanceof Response) return source.url || 'response'
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob)
    return 'model'
  const paths = Object.keys(source ?? {})
  return leadingFile(paths) ?? paths[0] ?? 'model'
}

/** One letter before a colon is a Windows drive. */
function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:/i.test(text)
}

function isNode(): boolean {
  return typeof process !== 'undefined' && process.versions?.node !== undefined
}
