/** Reads files and folders in Node. */

import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GruvError } from '../errors.ts'
import type { Siblings, SourceFile } from '../formats/format.ts'
import { leadingFile } from '../formats/others.ts'
import { beyond, type LimitOptions, mostBytes } from '../limits.ts'
import { withoutLinks } from './links.node.ts'

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission to read it is denied',
  EPERM: 'permission to read it is denied',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'the link leads in a circle',
  ENAMETOOLONG: 'the name is too long',
}

/** More files than any model has; a home directory given by mistake has them. */
const MOST_FILES = 10_000

/** The file at a path, or the one in a folder that is called as a model of several files is. */
export async function fileAtPath(source: string | URL, limits?: LimitOptions): Promise<SourceFile> {
  const path = source instanceof URL ? fileURLToPath(source) : source
  const name = String(source)
  if (!(await isFolder(path)))
    return { name, bytes: await readFileBytes(path, limits), siblings: siblingsOf(path, limits) }
  const files = await listFiles(path)
  const folder = path.replace(/[\\/]+$/, '')
  const first = await leadingFile(files, (each) => readFileBytes(`${folder}/${each}`, limits))
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
  const main = `${folder}/${first}`
  return { name, bytes: await readFileBytes(main, limits), siblings: siblingsOf(main, limits) }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false
}

/** The files below a folder, two folders deep, relative to it and with `/`. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const files: string[] = []
  const visit = async (path: string, depth: number): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const inner = join(path, entry.name)
      if (entry.isDirectory() && depth > 0) await visit(inner, depth - 1)
      else if (!entry.isDirectory()) files.push(relative(folder, inner).replaceAll(sep, '/'))
      if (files.length > MOST_FILES) {
        throw new GruvError('too-large', 'this folder holds more files than any model has', {
          expected: `at most ${MOST_FILES}`,
        })
      }
    }
  }
  try {
    await visit(folder, 2)
  } catch (cause) {
    throw explained(cause)
  }
  return files.sort()
}

/** The files beside a file. */
function siblingsOf(path: string, limits?: LimitOptions): Siblings {
  const folder = dirname(path)
  return {
    list: () => listFiles(folder),
    read: async (name) => readFileBytes(await beside(path, name), limits),
  }
}

/** @throws GruvError `bad-file` for a link that leads out of the folder. */
async function beside(model: string, name: string): Promise<string> {
  const target = await withoutLinks(dirname(model), name, model).catch((cause) => {
    throw explained(cause)
  })
  if (target !== null) return target
  throw new GruvError('bad-file', 'the link leads out of the folder of the model', {
    expected: 'a file in the folder',
    got: await realpath(join(dirname(model), name)),
    fix: 'Put the file itself there, if you trust the link.',
  })
}

/**
 * Devices, pipes and files that grow say nothing of their size, or something else: whatever it is,
 * it is read up to the limit of `bytes` and no further.
 * @throws GruvError `unreadable`, saying why in words; `too-large`.
 */
export async function readFileBytes(
  path: string | URL,
  limits?: LimitOptions,
): Promise<Uint8Array> {
  try {
    const info = await stat(path)
    if (info.isDirectory()) {
      throw new GruvError('unreadable', 'this is a folder', { expected: 'a file' })
    }
    const most = limits?.bytes ?? mostBytes(info.isFile() ? info.size : null)
    if (info.size > most) throw beyond('bytes', most, info.size)
    const file = await open(path)
    try {
      return await readUpTo(file, most, info.size)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw explained(cause)
  }
}

/** @param expected bytes; one more is asked for, to see the end. */
async function readUpTo(file: FileHandle, most: number, expected: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for (let size = (expected || SOME_BYTES) + 1; ; size = SOME_BYTES) {
    const part = new Uint8Array(size)
    let filled = 0
    while (filled < size) {
      const { bytesRead } = await file.read(part, filled, size - filled)
      if (bytesRead === 0) break
      filled += bytesRead
      if (length + filled > most) throw beyond('bytes', most, length + filled)
    }
    length += filled
    parts.push(part.subarray(0, filled))
    if (filled < size) return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }
}

/** Of a read where nothing is known. */
const SOME_BYTES = 2 ** 20

/** What the file system threw, in words. */
function explained(cause: unknown): GruvError {
  if (cause instanceof GruvError) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  return new GruvError('unreadable', explanations[code ?? ''] ?? message, { cause })
}
