/**
 * Runs the HDF5 library (h5wasm: HDF5 in C, compiled to WebAssembly) so that no file can do harm.
 *
 * A session gives the library a file, runs to its end without waiting, and removes everything
 * again, so two sessions never overlap.
 */

import type { Module } from 'h5wasm'
import { GruvError, isGruvError } from '../../errors.ts'
import { Budget, type LimitOptions } from '../../limits.ts'
import { quote } from '../show.ts'
import { hdf5Library } from './library.ts'

/** The parts of the file system that h5wasm's types leave out. */
interface FileSystem {
  readonly streams: readonly (object | null)[]
  /** The library opens every file through it. */
  open: (path: string, flags: number, mode: number) => object
  readonly ErrnoError: new (errno: number) => Error
  readonly close: (stream: object) => void
  readonly writeFile: (path: string, bytes: Uint8Array, options: { canOwn: boolean }) => void
}

export type Library = typeof Module & { readonly FS: FileSystem }

export interface OpenFile {
  readonly library: Library
  readonly id: bigint
}

export type Session = <T>(bytes: Uint8Array, run: (file: OpenFile) => T) => T

/** The library's own tables and caches, beside what it reads. */
const WORKSPACE = 2 ** 26

/** Of the library's own text in a message. */
const MOST_CHARACTERS = 160

const PATH = '/gruv.h5'

/** Numbers of Emscripten: "no such file"; the bits of flags that say writing, and a folder. */
const ENOENT = 44
const O_ACCMODE = 3
const O_DIRECTORY = 0o200000

/** Loads the library; sessions then run synchronously. @throws GruvError as `hdf5Library`. */
export async function hdf5Sessions(limits?: LimitOptions): Promise<Session> {
  const library = (await (await hdf5Library()).ready) as Library
  // Without it, numbers that cannot be read come as zeros.
  library.activate_throwing_error_handler()
  return (bytes, run) => {
    try {
      return withinMemory(Budget.reading(limits, bytes.length).most('bytes') + WORKSPACE, () =>
        onRestoredStack(library, () => withFile(library, bytes, run)),
      )
    } catch (error) {
      throw translate(error)
    }
  }
}

function withFile<T>(library: Library, bytes: Uint8Array, run: (file: OpenFile) => T): T {
  const { FS } = library
  const before = new Set(FS.streams)
  // `canOwn`: the library's file system uses these bytes in place, without a copy.
  FS.writeFile(PATH, bytes, { canOwn: true })
  try {
    return alone(FS, () => {
      const id = library.open(PATH, library.H5F_ACC_RDONLY, false, -1, -1)
      try {
        return run({ library, id })
      } finally {
        close(library, id)
      }
    })
  } finally {
    // An error leaves objects open inside the library, and they keep the file's node.
    for (const stream of FS.streams) if (stream && !before.has(stream)) FS.close(stream)
    FS.truncate(PATH, 0)
    FS.unlink(PATH)
  }
}

/**
 * A file can name others as the place of its numbers: virtual datasets, external storage, links.
 * None is opened, not even a device, and what would have come instead (fill values) is not taken.
 * The library itself writes its messages to a file, and looks for plugins in folders.
 */
function alone<T>(FS: FileSystem, run: () => T): T {
  const { open } = FS
  let other: string | undefined
  FS.open = function (path, flags, mode) {
    const isData = (flags & (O_ACCMODE | O_DIRECTORY)) === 0
    if (path === PATH || !isData) return open.call(this, path, flags, mode)
    other ??= path
    throw new FS.ErrnoError(ENOENT)
  }
  try {
    const result = run()
    if (other === undefined) return result
  } catch (error) {
    if (other === undefined) throw error
  } finally {
    FS.open = open
  }
  throw inOtherFile(other)
}

export function inOtherFile(name: string, where?: string): GruvError {
  return new GruvError('unsupported', 'a part of this HDF5 file lies in another file', {
    where,
    expected: 'all numbers in one file',
    got: quote(name),
    fix: 'Copy them into one file, with h5py for instance.',
  })
}

/** A failure to close is ignored: the content has been read, or an earlier error says more. */
function close(library: Library, id: bigint): void {
  try {
    library.close_file(id)
  } catch {}
}

/**
 * JavaScript errors pass through the frames of C without giving their stack back: a thousand of
 * them would overflow it. `ccall` saves the stack pointer when it passes an array and restores it
 * on return, so the function that it calls must not throw.
 */
function onRestoredStack<T>(library: Library, run: () => T): T {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined
  const guarded = (): number => {
    try {
      outcome = { value: run() }
    } catch (error) {
      outcome = { error }
    }
    return 0
  }
  Object.assign(library, { _gruvSession: guarded })
  library.ccall('gruvSession', 'number', ['array'], [[0]])
  if (outcome && 'value' in outcome) return outcome.value
  throw outcome?.error
}

/**
 * The library allocates what a file claims, and only later sees whether the bytes are there. Its
 * memory grows through this method alone, and nothing else runs meanwhile.
 */
function withinMemory<T>(most: number, run: () => T): T {
  const { prototype } = WebAssembly.Memory
  const { grow } = prototype
  let grown = 0
  prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
    const more = pages * 2 ** 16
    // The library takes this as "out of memory" and stops cleanly.
    if (grown + more > most) throw new RangeError('more memory than the file justifies')
    grown += more
    return grow.call(this, pages)
  }
  try {
    return run()
  } finally {
    prototype.grow = grow
  }
}

function translate(error: unknown): unknown {
  if (isGruvError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const filter = /filter '.*?' is not registered/.exec(message)
  if (filter) {
    return new GruvError('unsupported', 'this compression is not read', {
      expected: 'gzip, or none',
      got: filter[0].slice(0, MOST_CHARACTERS),
      fix: 'Save the array again with h5py, with compression="gzip".',
      cause: error,
    })
  }
  return new GruvError('bad-file', 'the HDF5 file is damaged, or none', {
    got: innermost(message),
    fix: 'Copy or save it again; `h5dump` or h5py say the same.',
    cause: error,
  })
}

/** The library reports one line per level, `#003: file line 1 in function(): what`. */
function innermost(message: string): string {
  const levels = [...message.matchAll(/#\d+: .*? in (\w+\(\): .*)/g)]
  return (levels.at(-1)?.[1] ?? message.split('\n')[0]).slice(0, MOST_CHARACTERS)
}
