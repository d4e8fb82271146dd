/** Reads data files by the names of ports, and writes them. */

import { readFile } from 'node:fs/promises'
import { type DataFile, readData, writeData } from '../data/index.ts'
import { GruvError, isGruvError, type Named, type Tensor } from '../index.ts'
import { explain, writeWhole } from './output-files.ts'
import { complain } from './render.ts'

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
  read: (path: string) => Promise<Named<Tensor>> = readArrays,
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
    const arrays = await read(path)
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
  return (await readDataFile(path)).tensors
}

/**
 * A data file, whose columns of text are named on standard error.
 * @param onError takes the error of a row, which is then left out.
 */
export async function readDataFile(
  path: string,
  onError?: (error: GruvError) => void,
): Promise<DataFile<string>> {
  const bytes = await readBytes(path)
  try {
    const data = await readData<string>(bytes, path, onError && { onError })
    tellLeftOut(path, data.leftOut)
    return data
  } catch (error) {
    throw inFile(path, error)
  }
}

/** Most names of columns and places of gaps that are told. */
const MOST_TOLD = 12

/** Says which columns are text. */
export function tellLeftOut(where: string, names: readonly string[] = []): void {
  if (names.length === 0) return
  const shown = names.slice(0, MOST_TOLD).join(', ')
  const more = names.length > MOST_TOLD ? ` and ${names.length - MOST_TOLD} more` : ''
  complain(`${where}: left out, since it is text: ${shown}${more}`)
}

/** Arrays as data files, by the endings of their names. */
export async function writeFiles(files: ReadonlyMap<string, Named<Tensor>>): Promise<void> {
  await writeWhole(
    new Map([...files].map(([path, tensors]) => [path, () => writeData(tensors, path)])),
  )
}

/** An object of arrays by name on one line, as data files in JSON are read. */
export async function arraysAsJson(tensors: Named<Tensor>): Promise<string> {
  const text = new TextDecoder().decode(await writeData(tensors, 'outputs.json'))
  const line = text.replaceAll('\n', '')
  // An array called `data` is written without its name if it is alone.
  return line.startsWith('{') ? line : `{"data": ${line}}`
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

/** The same error, and in which file. */
export function inFile(path: string, error: unknown): unknown {
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
