/**
 * The records of a zip archive: their signatures, and their sizes without names and comments
 * (APPNOTE 4.3).
 */

import { hasBytes } from '../byte-arrays.ts'

export interface ZipRecord {
  readonly signature: number
  readonly size: number
}

/** 4.3.7: before the bytes of an entry. */
export const LOCAL_HEADER: ZipRecord = { signature: 0x04034b50, size: 30 }
/** 4.3.12: one for each entry, in the directory at the end. */
export const DIRECTORY_HEADER: ZipRecord = { signature: 0x02014b50, size: 46 }
/** 4.3.14 */
export const ZIP64_END: ZipRecord = { signature: 0x06064b50, size: 56 }
/** 4.3.15 */
export const ZIP64_LOCATOR: ZipRecord = { signature: 0x07064b50, size: 20 }
/** 4.3.16 */
export const END: ZipRecord = { signature: 0x06054b50, size: 22 }

/** Whether a record of this kind stands there. */
export function isRecord(view: DataView, at: number, { signature }: ZipRecord): boolean {
  return view.getUint32(at, true) === signature
}

/** Whether a file begins as zip archives with entries do. */
export function isZip(bytes: Uint8Array): boolean {
  return hasBytes(bytes, [0x50, 0x4b, 0x03, 0x04])
}
