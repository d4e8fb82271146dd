/** Files of the page as models and arrays. */

import { readData } from '../../src/data/index.ts'
import {
  GruvError,
  isGruvError,
  type LoadOptions,
  load,
  type Model,
  type Tensor,
} from '../../src/index.ts'
import type { Source } from './protocol.ts'

type Arrays = Readonly<Record<string, Tensor>>

/** @throws GruvError; also for an address that is not of this origin. */
export async function loadModel(source: Source, options: LoadOptions): Promise<Model> {
  if ('url' in source) return load(ownUrl(source.url), options)
  const { files } = source
  if (files.length === 1) return load(files[0], options)
  return load(Object.fromEntries(files.map((file) => [pathOf(file), file])), options)
}

/** A file's path in the folder that was dropped, or its name. */
function pathOf(file: File): string {
  return file.webkitRelativePath === '' ? file.name : file.webkitRelativePath
}

/**
 * Arrays by the ports they are for: a file with one array goes to the port it is named for, or
 * to the first that has none; a file with several goes by their names.
 */
export async function readArrays(source: Source, ports: readonly string[]): Promise<Arrays> {
  const tensors: Record<string, Tensor> = {}
  for (const { name, bytes } of await bytesOf(source)) {
    const arrays = await inFile(name, async () => (await readData(bytes, name)).tensors)
    const names = Object.keys(arrays)
    const fitting = names.filter((each) => ports.includes(each))
    if (fitting.length > 0) for (const each of fitting) tensors[each] = arrays[each]
    else if (names.length === 1) {
      const stem = name.replace(/\.[^.]+$/, '')
      const port = ports.includes(stem) ? stem : ports.find((each) => !(each in tensors))
      tensors[port ?? ports[0]] = arrays[names[0]]
    } else {
      throw new GruvError('not-found', 'none of these arrays has a fitting name', {
        where: name,
        expected: ports.join(', '),
        got: names.join(', '),
        fix: 'Give one array in a file of its own, or name it so.',
      })
    }
  }
  return tensors
}

async function bytesOf(source: Source): Promise<{ name: string; bytes: Uint8Array }[]> {
  if ('files' in source) {
    return Promise.all(
      source.files.map(async (file) => ({
        name: file.name,
        bytes: new Uint8Array(await file.arrayBuffer()),
      })),
    )
  }
  const url = ownUrl(source.url)
  const response = await fetch(url)
  if (!response.ok) {
    throw new GruvError('unreadable', 'the server did not give the file', {
      where: source.url,
      got: `status ${response.status}`,
    })
  }
  const name = decodeURIComponent(url.pathname.split('/').at(-1)!)
  return [{ name, bytes: new Uint8Array(await response.arrayBuffer()) }]
}

/** Whoever sends a link must not choose whom the page talks to. */
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
    const { code, problem, where, expected, got, fix } = error
    throw new GruvError(code, problem, {
      where: where === undefined ? name : `${name}: ${where}`,
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      ...(fix !== undefined && { fix }),
    })
  }
}
