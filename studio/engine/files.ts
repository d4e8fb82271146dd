/** Reads models and arrays from files and from the page's own server. */

import { readData } from '../../src/data/index.ts'
import {
  type FileSet,
  GruvError,
  isGruvError,
  type LoadOptions,
  load,
  type Model,
  type Tensor,
} from '../../src/index.ts'
import { nameOf, sortFiles } from '../sort-files.ts'
import type { FolderData, Source } from './protocol.ts'

type Arrays = Readonly<Record<string, Tensor>>

/** @throws GruvError; also for an address that is not of this origin. */
export async function loadModel(source: Source, options: LoadOptions): Promise<Model> {
  if ('urls' in source) {
    const url = ownUrl(source.urls[0])
    if (url.pathname.endsWith('/')) return load(await filesAt(url), options)
    // The server gives the named file, and nothing beside it.
    const [{ name, bytes }] = await bytesOf(source)
    return load(new File([bytes as Uint8Array<ArrayBuffer>], name), options)
  }
  const { files } = source
  if (files.length === 1) return load(files[0].file, options)
  return load(Object.fromEntries(files.map(({ path, file }) => [path, file])), options)
}

/** The model in a folder that `gruv studio` serves; files that it does not need are not fetched. */
async function filesAt(folder: URL): Promise<FileSet> {
  const title = decodeURIComponent(folder.pathname.split('/').at(-2) ?? '')
  const { model } = sortFiles(await listOf(folder))
  return Object.fromEntries(model.map(({ path }) => [`${title}/${path}`, urlIn(folder, path)]))
}

/** The addresses of the data in such a folder. */
export async function dataAt(url: string): Promise<FolderData> {
  const folder = ownUrl(url)
  const { input, expected } = sortFiles(await listOf(folder))
  const urls = (files: readonly { path: string }[]): readonly string[] =>
    files.map(({ path }) => urlIn(folder, path).href)
  return { input: urls(input), expected: urls(expected) }
}

async function listOf(folder: URL): Promise<readonly { readonly path: string }[]> {
  const response = await ask(folder)
  const names: unknown = /json/.test(response.headers.get('content-type') ?? '')
    ? await response.json()
    : null
  if (response.ok && Array.isArray(names)) return names.map((name) => ({ path: String(name) }))
  throw new GruvError('unreadable', 'the server does not say what is in this folder', {
    where: decodeURIComponent(folder.pathname),
    fix: 'Give the path of a file.',
  })
}

function urlIn(folder: URL, path: string): URL {
  return new URL(path.split('/').map(encodeURIComponent).join('/'), folder)
}

/** Arrays by port, and the names of the files that they came from. */
export interface ReadArrays {
  readonly tensors: Arrays
  readonly names: readonly string[]
}

/**
 * Arrays by port. A file with one array goes to the port that the file or the array is named after
 * (`in_x.npy` for x); files with other names go to the remaining ports in turn, until none is left.
 * Several arrays in a file go by their names.
 * @param rest ports that only get arrays with their name.
 */
export async function readArrays(
  source: Source,
  ports: readonly string[],
  rest: readonly string[] = [],
): Promise<ReadArrays> {
  const tensors = new Map<string, Tensor>()
  const taken: string[] = []
  const unnamed: { readonly name: string; readonly tensor: Tensor }[] = []
  const known = [...ports, ...rest]
  for (const { name, bytes } of await bytesOf(source)) {
    const arrays = await inFile(name, async () => (await readData(bytes, name)).tensors)
    const names = Object.keys(arrays)
    const fitting = names.filter((each) => known.includes(each))
    const stem = name.replace(/\.[^.]+$/, '')
    const meant = known.find((port) => stem === port || stem.endsWith(`_${port}`))
    if (fitting.length > 0) for (const each of fitting) tensors.set(each, arrays[each])
    else if (names.length === 1 && meant !== undefined && !tensors.has(meant))
      tensors.set(meant, arrays[names[0]])
    else if (names.length === 1) {
      unnamed.push({ name, tensor: arrays[names[0]] })
      continue
    } else throw severalArrays(name, names, known)
    taken.push(name)
  }
  for (const { name, tensor } of unnamed) {
    const port = ports.find((each) => !tensors.has(each))
    if (port === undefined) continue
    tensors.set(port, tensor)
    taken.push(name)
  }
  return { tensors: Object.fromEntries(tensors), names: taken }
}

function severalArrays(
  file: string,
  names: readonly string[],
  ports: readonly string[],
): GruvError {
  if (names.length === 0)
    return new GruvError('bad-file', 'this file holds no array', { where: file })
  return new GruvError('not-found', 'none of these arrays has a fitting name', {
    where: file,
    expected: ports.join(', '),
    got: names.join(', '),
    fix: 'Give one array in a file of its own, or name it so.',
  })
}

async function bytesOf(source: Source): Promise<{ name: string; bytes: Uint8Array }[]> {
  if ('files' in source) {
    return Promise.all(
      source.files.map(async ({ path, file }) => ({
        name: nameOf(path),
        bytes: new Uint8Array(await file.arrayBuffer()),
      })),
    )
  }
  return Promise.all(
    source.urls.map(async (text) => {
      const url = ownUrl(text)
      const response = await ask(url)
      if (!response.ok) {
        throw new GruvError('unreadable', 'the server did not give the file', {
          where: text,
          got: `status ${response.status}`,
        })
      }
      const name = nameOf(decodeURIComponent(url.pathname))
      return { name, bytes: new Uint8Array(await response.arrayBuffer()) }
    }),
  )
}

async function ask(url: URL): Promise<Response> {
  try {
    return await fetch(url)
  } catch (cause) {
    throw new GruvError('unreadable', 'the server cannot be reached', {
      where: url.href,
      got: (cause as Error).message,
      fix: 'See whether gruv studio still runs.',
      cause,
    })
  }
}

/** A link must not make the page fetch from another server. */
function ownUrl(text: string): URL {
  const url = new URL(text, location.href)
  if (url.origin === location.origin) return url
  throw new GruvError('bad-argument', 'the studio only reads from its own server', {
    where: text,
    expected: location.origin,
    got: url.origin,
    fix: 'Download the file and open it here.',
  })
}

async function inFile<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!isGruvError(error)) throw error
    const { code, problem, where } = error
    throw new GruvError(code, problem, {
      ...error,
      where: where === undefined ? name : `${name}: ${where}`,
    })
  }
}
