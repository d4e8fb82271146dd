/** Writes HDF5 files of groups and of float32 and float64 arrays. */

import { GruvError } from '../../errors.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { hasBytes } from '../byte-arrays.ts'
import { hdf5Library } from './library.ts'
import type { Library } from './session.ts'

const PATH = '/gruv-written.h5'

interface Files {
  readonly readFile: (path: string) => Uint8Array
  readonly unlink: (path: string) => void
  readonly analyzePath: (path: string) => { readonly exists: boolean }
}

/**
 * @param arrays by path, such as `layers/gru/cell/vars/0`; groups are made as needed.
 * @param groups paths of further groups, which may stay empty.
 */
export async function writeHdf5(
  arrays: Named<Tensor>,
  groups: readonly string[] = [],
): Promise<Uint8Array> {
  const { File, ready } = await hdf5Library()
  const library = (await ready) as Library
  // The session's type of the file system has what reading needs; writing needs these methods.
  const files = library.FS as unknown as Files
  const started = seconds()
  try {
    const file = new File(PATH, 'w', { libver: ['earliest', 'latest'] })
    try {
      const made = new Set<string>()
      const makeGroup = (path: string): void => {
        const parts = path.split('/')
        for (let depth = 1; depth <= parts.length; depth++) {
          const group = parts.slice(0, depth).join('/')
          if (made.has(group)) continue
          file.create_group(group)
          made.add(group)
        }
      }
      for (const group of groups) makeGroup(group)
      for (const [path, { shape, data }] of Object.entries(arrays)) {
        makeGroup(path.slice(0, path.lastIndexOf('/')))
        const dtype = data instanceof Float32Array ? '<f4' : '<f8'
        file.create_dataset({ name: path, data, shape: [...shape], dtype })
      }
    } finally {
      file.close()
    }
    return withoutTimes(files.readFile(PATH).slice(), started, seconds())
  } catch (cause) {
    throw new GruvError('unsupported', 'the HDF5 library could not write these arrays', {
      got: String(cause instanceof Error ? cause.message : cause).slice(0, 160),
      cause,
    })
  } finally {
    if (files.analyzePath(PATH).exists) files.unlink(PATH)
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}

/**
 * Header of an object's modification time (message 0x0012, 8 bytes, version 1), up to its seconds.
 */
const TIME = [0x12, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0] as const

/**
 * The same arrays give the same bytes, whenever they are written: modification times become 0. Only
 * times within this call are changed: other bytes may look like the header of a time.
 */
function withoutTimes(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + TIME.length + 4 <= bytes.length; at += 8) {
    if (!hasBytes(bytes, TIME, at)) continue
    const time = view.getUint32(at + TIME.length, true)
    if (time >= from && time <= to) view.setUint32(at + TIME.length, 0, true)
  }
  return bytes
}
