/**
 * Everything that `load` knows: files by their paths, on a disk or in memory, what lies beside them,
 * every format, and what is wrong.
 */

import { GruvError, isGruvError, within } from './errors.ts'
import type { ReadOptions, Siblings } from './formats/format.ts'
import { leadingFile, readModel } from './formats/index.ts'
import type { Arrival, FileSet, LoadOptions, ModelSource } from './load.ts'
import type { Model } from './model/types.ts'

/**
 * `load`, of what has come of the source.
 * @throws GruvError as `load`.
 */
export async function loadWhole(
  source: ModelSource,
  options: LoadOptions,
  arriving: Promise<Arrival>,
): Promise<Model> {
  let name = options.name ?? nameOf(source)
  try {
    const { verify, name: _, ...said } = options
    const readOptions: ReadOptions = Object.fromEntries(
      Object.entries(said).filter(([, value]) => value !== undefined && value !== null),
    )
    const arrival = await arriving
    const bytes = bytesIn(arrival)
    const { answer, name: found = name, siblings } = arrival
    name = options.name ?? found
    const beside = siblings ?? (answer && besideAnswer(answer as Response, source))
    const model = await readModel({ name, bytes, ...(beside && { siblings: beside }) }, readOptions)
    if (verify) (await import('./verify/reference.ts')).verifyReference(model)
    return model
  } catch (error) {
    throw isGruvError(error) ? within(name, error) : broken(name, error)
  }
}

/** Files in Node, and everywhere what is neither bytes nor an address. */
export async function arriveFrom(source: ModelSource): Promise<Arrival> {
  if (source instanceof URL)
    return source.protocol === 'file:' ? fileAtPath(source) : fetched(source)
  if (typeof source === 'string') return isUrl(source) ? fetched(source) : fileAtPath(source)
  return source instanceof Response
    ? { name: source.url || 'response', ...(await arrived(source)) }
    : fileOfSet(source as FileSet)
}

async function fetched(url: string | URL): Promise<Arrival> {
  return arrived(await fetch(url).catch((error: Error) => error))
}

async function arrived(answer: Response | Error): Promise<Arrival> {
  if (answer instanceof Error || !answer.ok) return { answer }
  return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) }
}

/** One letter before a colon is a Windows drive. */
function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:/i.test(text)
}

async function fileAtPath(source: string | URL): Promise<Arrival> {
  const { isFolder, listFiles, pathOf, readFileBytes, siblingsOf } = await import('./files.node.ts')
  const path = pathOf(source)
  if (!(await isFolder(path))) {
    return { bytes: await readFileBytes(path), siblings: siblingsOf(path) }
  }
  const files = await listFiles(path)
  const first = leadingFile(files)
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

async function fileOfSet(set: FileSet): Promise<Arrival> {
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
    name: main,
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

async function bytesOf(source: Uint8Array | Blob | URL): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer())
  return bytesIn(await arriveFrom(source))
}

function bytesIn({ bytes, answer }: Arrival): Uint8Array {
  if (bytes !== undefined) return bytes
  if (answer instanceof Error) {
    throw new GruvError('unreadable', 'the server cannot be reached', {
      got: answer.message,
      cause: answer,
    })
  }
  throw new GruvError('unreadable', 'the server did not give the file', {
    expected: 'status 200',
    got: `status ${answer!.status} ${answer!.statusText}`.trim(),
  })
}

/**
 * What lies beside a URL is asked for with the same query (a key, a token), first where the URL was
 * followed to, then where it led away from.
 */
function besideAnswer(answer: Response, source: ModelSource): Siblings | undefined {
  // Resolved against the page in browsers, where the URL itself may be relative.
  const page = typeof location === 'undefined' ? undefined : location.href
  const places = [answer.url, source instanceof Response ? '' : String(source)]
  const bases = new Set(places.filter(Boolean).map((each) => new URL(each, page).href))
  if (bases.size === 0) return undefined
  return {
    list: async () => null,
    read: async (path) => {
      const escaped = path.split('/').map(encodeURIComponent).join('/')
      let arrival: Arrival = {}
      for (const base of bases) {
        const beside = new URL(escaped, base)
        beside.search = new URL(base).search
        arrival = await fetched(beside)
        if (arrival.bytes !== undefined || arrival.answer instanceof Error) break
      }
      return bytesIn(arrival)
    },
  }
}

function nameOf(source: ModelSource): string {
  if (typeof source === 'string') return source
  if (source instanceof URL) return source.href
  if (typeof File !== 'undefined' && source instanceof File) return source.name
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob)
    return 'model'
  if (source instanceof Response) return source.url || 'response'
  return Object.keys(source ?? {})[0] ?? 'model'
}

function broken(name: string, error: unknown): GruvError {
  return new GruvError('bad-file', 'this file broke its reader', {
    where: name,
    got: error instanceof Error ? error.message : String(error),
    fix: 'A wrong file should give a better message than this one: please report it.',
    cause: error,
  })
}
