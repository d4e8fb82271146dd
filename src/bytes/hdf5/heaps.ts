/**
 * Checks the global heaps of HDF5 files, which hold strings of any length (File Format
 * Specification, III.E).
 *
 * The library walks through a collection by the sizes of its objects and would never end at a size
 * of zero.
 */

import { GruvError } from '../../errors.ts'
import { hasBytes } from '../byte-arrays.ts'

/** Every file starts with it, after a user block of 0, 512, 1024, 2048 … bytes. */
const FORMAT_SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
const FIRST_USER_BLOCK = 512

/** `GCOL`, version 1, three reserved bytes. */
const COLLECTION_SIGNATURE = [0x47, 0x43, 0x4f, 0x4c, 1]

/**
 * Signature and version, the collection's size; index, count, reserved bytes and size of an object.
 */
const HEADER_BYTES = 16

/**
 * @throws GruvError `bad-file` for bytes that are no HDF5 file and for collections in which the
 *   library would not end, `unsupported` for lengths of other than 8 bytes, which h5py always writes.
 */
export function checkHeaps(file: Uint8Array): void {
  checkLengths(file)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let steps = 0
  for (let at = find(file, COLLECTION_SIGNATURE, 0); at >= 0; ) {
    // A collection that is cut off is refused by the library.
    const end = Math.min(at + lengthAt(view, at + 8), file.length)
    for (let object = at + HEADER_BYTES; object + HEADER_BYTES <= end; ) {
      const isFree = view.getUint16(object, true) === 0
      const size = lengthAt(view, object + 8)
      const step = isFree ? size : HEADER_BYTES + 8 * Math.ceil(size / 8)
      // Collections do not overlap: there are no more objects than bytes.
      if (step < HEADER_BYTES || object + step > end || ++steps > file.length) throw damaged(object)
      object += step
    }
    at = find(file, COLLECTION_SIGNATURE, at + 1)
  }
}

/** A length of eight bytes; where the file ends before it, more than any file has. */
function lengthAt(view: DataView, at: number): number {
  return at + 8 > view.byteLength ? 2 ** 64 : Number(view.getBigUint64(at, true))
}

function checkLengths(file: Uint8Array): void {
  let at = 0
  while (at < file.length && !hasBytes(file, FORMAT_SIGNATURE, at)) {
    at = at === 0 ? FIRST_USER_BLOCK : 2 * at
  }
  const version = file[at + 8]
  if (version === undefined) {
    throw new GruvError('bad-file', 'this is no HDF5 file', {
      expected: '89 48 44 46 0d 0a 1a 0a at its start',
    })
  }
  const lengthBytes = file[at + (version < 2 ? 14 : 10)]
  if (lengthBytes === 8) return
  throw new GruvError('unsupported', 'the lengths in this HDF5 file have another size', {
    where: `byte ${at}`,
    expected: '8 bytes',
    got: `${lengthBytes}`,
    fix: 'Save it again with h5py.',
  })
}

function find(file: Uint8Array, pattern: readonly number[], from: number): number {
  let at = file.indexOf(pattern[0], from)
  while (at >= 0 && !hasBytes(file, pattern, at)) {
    at = file.indexOf(pattern[0], at + 1)
  }
  return at
}

function damaged(at: number): GruvError {
  return new GruvError('bad-file', 'the strings of the HDF5 file are damaged', {
    where: `byte ${at}`,
    expected: 'objects that lie side by side in their heap',
    fix: 'Copy or save it again.',
  })
}
