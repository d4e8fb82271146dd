/** Reads data files by the names of ports, and writes output files whole or not at all. */

import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readData, writeData } from '../data/index.ts'
import { GruvError, isGruvError, type Named, type Tensor } from '../index.ts'

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
  const tensors: Record<string, Tensor> = {}
  const put = (port: string, tensor: Tensor, path: string): void => {
    if (tensors[port] !== undefined) {
      throw new GruvError('bad-argument', `there are two files for '${port}'`, {
        where: `${flag} ${path}`,
        fix: `Say which is which: ${flag} NAME=FILE, with NAME one of ${ports.join(', ')}.`,
      })
    }
    tensors[port] = tensor
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
  return tensors
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

/** Output files appear whole or not at all. */
export async function writeWhole(
  files: ReadonlyMap<string, () => Promise<Uint8Array>>,
): Promise<void> {
  await writeAside(
    [...files].map(([path, make]) => ({
      path,
      fill: async (file) => file.writeFile(await make()),
    })),
  )
}

/** The same for a file that is made in parts. */
export async function writeParts(
  path: string,
  parts: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  const fill = async (file: FileHandle): Promise<void> => {
    for await (const part of parts()) await file.appendFile(part)
  }
  await writeAside([{ path, fill }])
}

/** Renames only once everything is written. */
async function writeAside(
  files: readonly {
    readonly path: string
    readonly fill: (file: FileHandle) => Promise<void>
  }[],
): Promise<void> {
  const written: { readonly temporary: string; readonly path: string }[] = []
  try {
    for (const { path, fill } of files) {
      const temporary = temporaryBeside(path)
      written.push({ temporary, path })
      const file = await open(temporary, 'wx')
      try {
        await fill(file)
      } finally {
        await file.close()
      }
      const there = await stat(path).catch(() => null)
      if (there?.isDirectory())
        throw new GruvError('unreadable', 'this is a folder', { where: path, expected: 'a file' })
    }
    for (const { temporary, path } of written) await rename(temporary, path)
  } catch (error) {
    await Promise.all(written.map(({ temporary }) => rm(temporary, { force: true })))
    // An error without a system call is a bug of gruv and is reported as one.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    const path = written.at(-1)?.path ?? ''
    throw new GruvError(
      'unreadable',
      `it cannot be written: ${explain(error as NodeJS.ErrnoException)}`,
      { where: path, cause: error },
    )
  }
}

/** A new name in the same folder, so that the file can be renamed in one go. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.gruv-${randomBytes(6).toString('hex')}.tmp`)
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

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ERR_FS_FILE_TOO_LARGE: 'it has 2 GiB or more',
}

function explain({ code, message }: NodeJS.ErrnoException): string {
  return explanations[code ?? ''] ?? message
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

function firstFree(ports: readonly string[], taken: Named<unknown>): string {
  return ports.find((port) => taken[port] === undefined) ?? ports[0]
}
