/** Writes output files whole or not at all, whatever ends the command. */

import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type FileHandle, open, readlink, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { GruvError } from '../index.ts'

/** Files by their paths; all of them appear, or none. */
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

interface Output {
  readonly path: string
  readonly fill: (file: FileHandle) => Promise<void>
}

/**
 * Each file is written beside its place and brought to the disk. All are renamed once everything
 * is written: a link stays one, and a file keeps its permissions.
 */
async function writeAside(outputs: readonly Output[]): Promise<void> {
  const written: { readonly aside: string; readonly target: string }[] = []
  let at = ''
  try {
    for (const { path, fill } of outputs) {
      at = path
      const target = await targetOf(path)
      const there = await stat(target).catch(() => null)
      if (there !== null && !there.isFile()) {
        throw new GruvError(
          'unreadable',
          `this is ${there.isDirectory() ? 'a folder' : 'a device'}`,
          {
            where: path,
            expected: 'a file',
          },
        )
      }
      const { file, aside } = await openAside(target, there?.mode)
      written.push({ aside, target })
      try {
        await fill(file)
        await file.sync()
      } finally {
        await file.close()
      }
    }
    for (const { aside, target } of written) {
      await rename(aside, target)
      asides.delete(aside)
    }
  } catch (error) {
    // An error without a system call is a bug of gruv and is reported as one.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new GruvError(
      'unreadable',
      `it cannot be written: ${explain(error as NodeJS.ErrnoException)}`,
      { where: at, cause: error },
    )
  } finally {
    await Promise.all(written.map(({ aside }) => removeAside(aside)))
  }
}

/** More links than systems follow. */
const MOST_LINKS = 40

/** Where a path leads, though there may be nothing yet. */
async function targetOf(path: string): Promise<string> {
  let target = path
  for (let links = 0; links < MOST_LINKS; links++) {
    const next = await readlink(target).catch(() => null)
    if (next === null) return target
    target = resolve(dirname(target), next)
  }
  throw new GruvError('unreadable', 'the link leads in a circle', { where: path })
}

/** Files that are removed when the command ends, in whatever way. */
const asides = new Set<string>()
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * A new file in the folder of another, open for reading and writing; `removeAside` removes it, and
 * so does the end of the process.
 * @param mode its permissions, if not the usual ones.
 */
export async function openAside(
  path: string,
  mode?: number,
): Promise<{ readonly file: FileHandle; readonly aside: string }> {
  const aside = join(dirname(path), `.gruv-${randomBytes(6).toString('hex')}.tmp`)
  if (asides.size === 0) {
    process.on('exit', removeAll)
    for (const signal of signals) process.on(signal, endBy)
  }
  asides.add(aside)
  try {
    const file = await open(aside, 'wx+')
    // The mask of the process does not hold for a file that was there before.
    if (mode !== undefined) await file.chmod(mode & 0o7777)
    return { file, aside }
  } catch (error) {
    await removeAside(aside)
    throw error
  }
}

export async function removeAside(aside: string): Promise<void> {
  if (asides.has(aside)) await rm(aside, { force: true })
  asides.delete(aside)
  if (asides.size > 0) return
  process.off('exit', removeAll)
  for (const signal of signals) process.off(signal, endBy)
}

function removeAll(): void {
  for (const aside of asides) rmSync(aside, { force: true })
}

/** Ends as the signal would have ended it, so that a shell sees that. */
function endBy(signal: NodeJS.Signals): void {
  removeAll()
  for (const each of signals) process.off(each, endBy)
  process.kill(process.pid, signal)
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

/** What the file system says, in words. */
export function explain({ code, message }: NodeJS.ErrnoException): string {
  return explanations[code ?? ''] ?? message
}
