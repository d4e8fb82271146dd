/** Files by their paths, on a disk or in memory, and what is told when a file breaks its reader. */

import { GruvError } from './errors.ts'
import { leadingFile } from './formats/foreign.ts'
import { bytesOf, type FileSet, type Found } from './load.ts'

export async function fileAtPath(source: string | URL): Promise<Found> {
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

export async function fileOfSet(set: FileSet): Promise<Found> {
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

export function broken(name: string, error: unknown): GruvError {
  return new GruvError('bad-file', 'this file broke its reader', {
    where: name,
    got: error instanceof Error ? error.message : String(error),
    fix: 'A wrong file should give a better message than this one: please report it.',
    cause: error,
  })
}
