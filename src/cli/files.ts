/** Reads data files by the names of ports, and writes them. */

import { readFile } from 'node:fs/promises'
import { readData, writeData } from '../data/index.ts'
import { GruvError, isGruvError, type Named, type Tensor } from '../index.ts'
import { explain, writeWhole } from './output-files.ts'

/** `NAME=FILE`, or a file alone. */
export interface NamedPath {
  readonly name: string | null
  readonly path: string
}

/** The part before `=` is a name if it is a known one; a path may contain `=` too. */
export function namedPath(text: string, known: readonly string[]): NamedPath {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  if (at > 0 && known.includes(name)) return { name, path: text.slice(at + 1) }
  if (at > 0 && !/[./\\]/.test(name)) {
    throw new GruvError('not-found', `nothing here is called '${name}'`, {
      where: text,
      expected: `one of ${known.join(', ')} before the =`,
    })
  }
  return { name: null, path: text }
}

/**
 * Arrays from files, by the names of ports. A file with one array goes to the port that the array
 * is named after, or to the first one that is left; several arrays in a file go by their names.
 */
export async function readNamed(
  files: readonly string[],
  ports: readonly string[],
  flag: string,
): Promise<Named<Tensor>> {
  const tensors = new Map<string, Tensor>()
  const put = (port: string, tensor: Tensor, path: string): void => {
    if (tensors.has(port)) {
      throw new GruvError('bad-argument', `there are two files for '${port}'`, {
        where: `${flag} ${path}`,
        fix: `Say which is which: ${flag} NAME=FILE, with NAME one of ${ports.join(', ')}.`,
      })
    }
    tensors.set(port, tensor)
  }
  for (const { name, path } of files.map((text) => namedPath(text, ports))) {
    const arrays = await readArrays(path)
    const names = Object.keys(arrays)
    if (name !== null) put(name, theOne(arrays, name, path), path)
    else if (names.length === 1)
      put(ports.includes(names[0]) ? names[0] : firstFree(ports, tensors), arrays[names[0]], path)
    else {
      const fitting = names.filter((each) => ports.includes(each))
      if (fitting.length === 0) throw severalArrays(path, names, ports)
      for (const each of fitting) put(each, arrays[each], path)
    }
  }
  return Object.fromEntries(tensors)
}

/** Every array of a data file. */
export async function readArrays(path: string): Promise<Named<Tensor>> {
  const bytes = await readBytes(path)
  try {
    return (await readData(bytes, path)).tensors
  } catch (error) {
    throw inFile(path, error)
  }
}

/** Arrays as data files, by the endings of their names. */
export async function writeFiles(files: ReadonlyMap<string, Named<Tensor>>): Promise<void> {
  await writeWhole(
    new Map([...files].map(([path, tensors]) => [path, () => writeData(tensors, path)])),
  )
}

/** The text of a file. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path))
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new GruvError('unreadable', explain(cause as NodeJS.ErrnoException), {
      where: path,
      cause,
    })
  }
}

function inFile(path: string, error: unknown): unknown {
  if (!isGruvError(error)) return error
  const { code, problem, where } = error
  return new GruvError(code, problem, {
    ...error,
    where: where === undefined ? path : `${path}: ${where}`,
    cause: error,
  })
}

function theOne(arrays: Named<Tensor>, name: string, path: string): Tensor {
  const names = Object.keys(arrays)
  if (names.length === 1) return arrays[names[0]]
  if (Object.hasOwn(arrays, name)) return arrays[name]
  throw severalArrays(path, names, [name])
}

function severalArrays(
  path: string,
  names: readonly string[],
  ports: readonly string[],
): GruvError {
  return new GruvError(
    'not-found',
    names.length === 0 ? 'this file holds no array' : 'none of these arrays has a fitting name',
    {
      where: path,
      expected: ports.join(', '),
      got: names.join(', ') || 'nothing',
      fix: 'Give one array in a file of its own, or name it so.',
    },
  )
}

function firstFree(ports: readonly string[], taken: ReadonlyMap<string, unknown>): string {
  return ports.find((port) => !taken.has(port)) ?? ports[0]
}
