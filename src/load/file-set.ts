/** Takes files by their paths, as from a folder drop or a test. */

import { GruvError } from '../errors.ts'
import type { SourceFile } from '../formats/format.ts'
import { leadingFile } from '../formats/others.ts'

/**
 * What a global class makes, where the types of a host have that class: gruv's own types name nothing
 * that the DOM's or Node's would have to declare.
 */
export type Global<Name extends string> = typeof globalThis extends {
  readonly [N in Name]: { readonly prototype: infer Instance }
}
  ? Instance
  : never

/**
 * Files by their paths, as a folder drop or a test gives them; of a URL only what is read is
 * fetched. The model is the one that is called as its format says (`model.json`,
 * `saved_model.pb`), else the first.
 */
export type FileSet = Readonly<Record<string, Uint8Array | Global<'Blob'> | Global<'URL'>>>

/**
 * @param read gives the bytes of one of them.
 * @throws GruvError `bad-argument` for what is no set of files.
 */
export async function fileOfSet(
  set: FileSet,
  read: (file: FileSet[string]) => Promise<Uint8Array>,
): Promise<SourceFile> {
  const files = new Map(
    Object.entries(set ?? {}).map(([path, file]) => [path.replaceAll('\\', '/'), file]),
  )
  const given = [...files.keys()]
  const usable = [...files.values()].every(
    (file) => file instanceof Uint8Array || file instanceof Blob || file instanceof URL,
  )
  if (typeof set !== 'object' || given.length === 0 || !usable) {
    throw new GruvError('bad-argument', 'nothing can be loaded from this', {
      expected: 'a path, a URL, bytes, a Blob, a Response, or files by name',
      got: typeof set,
    })
  }
  const main = (await leadingFile(given, (path) => read(files.get(path)!))) ?? given[0]
  const folder = main.slice(0, main.lastIndexOf('/') + 1)
  return {
    name: main,
    bytes: await read(files.get(main)!),
    siblings: {
      list: async () =>
        given.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length)),
      read: async (path) => {
        const file = files.get(folder + path)
        if (file !== undefined) return read(file)
        throw new GruvError('not-found', 'this file is not among those given', {
          got: given.slice(0, 8).join(', '),
        })
      },
    },
  }
}
