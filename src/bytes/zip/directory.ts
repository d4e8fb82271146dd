/**
 * Reads the directory of a zip archive: APPNOTE.TXT, PKWARE's ".ZIP File Format Specification",
 * version 6.3.10.
 */

import {
  DIRECTORY_HEADER,
  END,
  isRecord,
  LOCAL_HEADER,
  ZIP64_END,
  ZIP64_LOCATOR,
} from './records.ts'

/** An entry as the directory has it. */
export interface DirectoryEntry {
  readonly name: string
  readonly isFolder: boolean
  /** 4.4.4: general purpose bits. */
  readonly flags: number
  /** 4.4.5: the compression. */
  readonly method: number
  readonly crc: number
  /** Bytes, as they are stored, and unpacked. */
  readonly packed: number
  readonly size: number
  /** Where its local header begins. */
  readonly offset: number
}

export interface Directory {
  readonly entries: readonly DirectoryEntry[]
  /** Where it begins; everything before it is entries. */
  readonly start: number
  /** Whether it ends where the end record says. */
  readonly complete: boolean
}

/** In place of a number that stands in a zip64 field (4.4.1.4). */
const IN_ZIP64 = 0xffffffff

/** As far as the directory can be read. */
export function readDirectory(bytes: Uint8Array): Directory {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: DirectoryEntry[] = []
  const end = findEnd(view)
  if (end === null) return { entries, start: 0, complete: false }
  const { offset, size, before } = directoryPlace(view, end)
  // Data may stand before an archive, and shift every offset in it.
  const shift = before - (offset + size)
  const base =
    shift > 0 && !startsHere(view, offset) && startsHere(view, offset + shift) ? shift : 0
  const start = offset + base
  const decoder = new TextDecoder()
  let at = start
  while (at + DIRECTORY_HEADER.size <= before && isRecord(view, at, DIRECTORY_HEADER)) {
    const nameEnd = at + DIRECTORY_HEADER.size + view.getUint16(at + 28, true)
    const extraEnd = nameEnd + view.getUint16(at + 30, true)
    if (extraEnd > before) break
    const name = decoder.decode(bytes.subarray(at + DIRECTORY_HEADER.size, nameEnd))
    const [crc, packed32, size32] = [16, 20, 24].map((field) => view.getUint32(at + field, true))
    const [entrySize, packed, local] = withZip64(
      [size32, packed32, view.getUint32(at + 42, true)],
      view,
      nameEnd,
      extraEnd,
    )
    entries.push({
      name,
      // 4.4.15: the attributes of DOS, or of Unix in the upper half.
      isFolder: name.endsWith('/') || (view.getUint32(at + 38, true) & FOLDER) !== 0,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc,
      packed,
      size: entrySize,
      offset: local + base,
    })
    at = extraEnd + view.getUint16(at + 32, true)
  }
  return { entries, start, complete: at === start + size }
}

/** S_IFDIR of Unix, and DOS's directory bit. */
const FOLDER = 0x40000010

function startsHere(view: DataView, at: number): boolean {
  return at + DIRECTORY_HEADER.size <= view.byteLength && isRecord(view, at, DIRECTORY_HEADER)
}

/** Where the end record begins: at the end of the file, but for a comment of at most 64 KiB. */
function findEnd(view: DataView): number | null {
  const last = view.byteLength - END.size
  for (let at = last; at >= Math.max(0, last - 0xffff); at--)
    if (isRecord(view, at, END) && at + END.size + view.getUint16(at + 20, true) <= view.byteLength)
      return at
  return null
}

/** Where the directory lies, and where the records that follow it begin. */
function directoryPlace(
  view: DataView,
  end: number,
): { readonly offset: number; readonly size: number; readonly before: number } {
  const [size, offset] = [12, 16].map((field) => view.getUint32(end + field, true))
  const locator = end - ZIP64_LOCATOR.size
  if (locator < 0 || !isRecord(view, locator, ZIP64_LOCATOR)) return { offset, size, before: end }
  // PyTorch writes the records of zip64 whether they are needed or not.
  const record = Number(view.getBigUint64(locator + 8, true))
  const at =
    record + ZIP64_END.size <= locator && isRecord(view, record, ZIP64_END)
      ? record
      : locator - ZIP64_END.size
  if (at < 0 || !isRecord(view, at, ZIP64_END)) return { offset, size, before: locator }
  return {
    size: Number(view.getBigUint64(at + 40, true)),
    offset: Number(view.getBigUint64(at + 48, true)),
    before: at,
  }
}

/**
 * The numbers, those that do not fit 32 bits out of the zip64 field between `from` and `to` (4.5.3),
 * where they stand in this order.
 */
function withZip64(
  numbers: readonly number[],
  view: DataView,
  from: number,
  to: number,
): readonly number[] {
  let at = from
  while (at + 4 <= to && view.getUint16(at, true) !== ZIP64_FIELD)
    at += 4 + view.getUint16(at + 2, true)
  const end = at + 4 <= to ? Math.min(to, at + 4 + view.getUint16(at + 2, true)) : from
  at += 4
  return numbers.map((number) => {
    if (number !== IN_ZIP64 || at + 8 > end) return number
    at += 8
    return Number(view.getBigUint64(at - 8, true))
  })
}

const ZIP64_FIELD = 1

/** The names of the entries, to tell formats apart. */
export function zipNames(bytes: Uint8Array): readonly string[] {
  return readDirectory(bytes).entries.map(({ name }) => name)
}

/** Where the bytes of an entry lie, unless its local header contradicts the directory. */
export function locateEntry(
  archive: Uint8Array,
  { flags, method, crc, packed, size, offset, name }: DirectoryEntry,
): { readonly from: number; readonly to: number } | null {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  if (offset + LOCAL_HEADER.size > view.byteLength || !isRecord(view, offset, LOCAL_HEADER))
    return null
  const nameLength = view.getUint16(offset + 26, true)
  const nameEnd = offset + LOCAL_HEADER.size + nameLength
  const from = nameEnd + view.getUint16(offset + 28, true)
  if (from + packed > view.byteLength) return null
  const localName = archive.subarray(offset + LOCAL_HEADER.size, nameEnd)
  if (new TextDecoder().decode(localName) !== name) return null
  if (view.getUint16(offset + 8, true) !== method) return null
  // 4.4.4, bit 3: what was not known yet follows the bytes, and stands in the directory.
  if ((flags & 8) === 0) {
    const [localCrc, packed32, size32] = [14, 18, 22].map((f) => view.getUint32(offset + f, true))
    const [localSize, localPacked] = withZip64([size32, packed32], view, nameEnd, from)
    if (localCrc !== crc || localSize !== size || localPacked !== packed) return null
  }
  return { from, to: from + packed }
}
