/**
 * Reads zip archives: APPNOTE.TXT, PKWARE's ".ZIP File Format Specification", version 6.3.10.
 *
 * The directory is read here, entries are unpacked by fflate, which looks at neither CRC-32 nor
 * headers: those are compared here. Names are keys and never become paths, so any name is allowed.
 */

import { GruvError, within } from '../../errors.ts'
import type { LimitOptions } from '../../limits.ts'
import { crc32 } from '../crc32.ts'
import { quote } from '../show.ts'
import { type DirectoryEntry, locateEntry, readDirectory } from './directory.ts'
import { MOST_ENTRIES, tooMany } from './limits.ts'
import { LOCAL_HEADER } from './records.ts'

export interface ZipEntry {
  /** Bytes, unpacked. */
  readonly size: number
  /**
   * A stored entry is a view of the archive.
   * @throws GruvError `bad-file` when the entry is damaged.
   */
  readonly read: () => Uint8Array
}

/** By name, in the order of the archive, without folders. */
export type ZipEntries = ReadonlyMap<string, ZipEntry>

/** Two bits for 258 bytes: no deflate stream expands more (RFC 1951, 3.2.5). */
const DEFLATE_EXPANSION = 1032

const STORED = 0
const DEFLATED = 8

/** APPNOTE 4.4.5: the methods that occur in practice. */
const methodNames: Readonly<Record<number, string>> = {
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'xz',
  99: 'AES encryption',
}

/** Of fflate. */
export type Inflate = typeof import('./inflate.ts').inflateSync

/**
 * The entries of an archive, listed but not yet unpacked; fflate is fetched where one is compressed.
 * @throws GruvError `bad-file` when the archive is damaged or names an entry twice, `unsupported`
 *   when it is encrypted or packed by another method than deflate, `too-large` for zip bombs.
 */
export async function readZip(bytes: Uint8Array, limits?: LimitOptions): Promise<ZipEntries> {
  const { entries, total } = checkedEntries(bytes)
  // Entries that are stored, as most are, hold no more than the archive.
  if (total > bytes.length || limits)
    (await import('./unpacked.ts')).checkUnpacked(total, bytes.length, limits)
  const isPacked = entries.some(({ method }) => method !== STORED)
  return zipEntries(bytes, entries, isPacked ? (await import('./inflate.ts')).inflateSync : null)
}

/** What `readZip` fetches. */
export interface ZipParts {
  readonly inflateSync: Inflate
  readonly checkUnpacked: typeof import('./unpacked.ts').checkUnpacked
}

/** The same without waiting. @throws GruvError as `readZip`. */
export function readZipSync(
  bytes: Uint8Array,
  { inflateSync, checkUnpacked }: ZipParts,
  limits: LimitOptions | undefined,
): ZipEntries {
  const { entries, total } = checkedEntries(bytes)
  checkUnpacked(total, bytes.length, limits)
  return zipEntries(bytes, entries, inflateSync)
}

/** The entries, and the bytes that they unpack to. */
function checkedEntries(bytes: Uint8Array): {
  readonly entries: readonly DirectoryEntry[]
  readonly total: number
} {
  const { entries: listed, start, complete } = readDirectory(bytes)
  const names = new Set<string>()
  const places: (readonly [from: number, to: number])[] = []
  let total = 0
  const entries = listed.filter(({ isFolder }) => !isFolder)
  for (const entry of entries) {
    check(entry, names, bytes.length)
    total += entry.size
    places.push([entry.offset, entry.offset + LOCAL_HEADER.size + entry.packed])
    names.add(entry.name)
  }
  if (!complete) throw damaged('its directory cannot be read to the end')
  places.sort((a, b) => a[0] - b[0])
  if (places.some(([, to], i) => to > (places[i + 1]?.[0] ?? start)))
    throw damaged('entries share their bytes')
  return { entries, total }
}

function zipEntries(
  archive: Uint8Array,
  entries: readonly DirectoryEntry[],
  inflate: Inflate | null,
): ZipEntries {
  return new Map(entries.map((entry) => [entry.name, zipEntry(entry, archive, inflate)]))
}

/** 4.4.4, bit 0. */
const ENCRYPTED = 1

function check(entry: DirectoryEntry, earlier: ReadonlySet<string>, archiveSize: number): void {
  const where = quote(entry.name)
  const { method, packed, size } = entry
  if (earlier.has(entry.name)) {
    throw new GruvError('bad-file', 'the archive has two entries of the same name', { where })
  }
  if (earlier.size === MOST_ENTRIES) throw tooMany('more')
  if ((entry.flags & ENCRYPTED) !== 0) {
    throw new GruvError('unsupported', 'the entry is encrypted', { where, fix: 'Unpack it first.' })
  }
  if (method !== STORED && method !== DEFLATED) {
    throw new GruvError('unsupported', 'this compression is not read', {
      where,
      expected: 'stored or deflated',
      got: methodNames[method] ?? `method ${method}`,
    })
  }
  if (packed > archiveSize) {
    throw new GruvError('bad-file', 'the entry is larger than the archive', {
      where,
      expected: `at most ${archiveSize} bytes`,
      got: `${packed}`,
    })
  }
  const most = method === STORED ? packed : packed * DEFLATE_EXPANSION
  if (size > most || (method === STORED && size !== packed)) {
    throw new GruvError('bad-file', 'the sizes of the entry contradict each other', {
      where,
      expected: `${method === STORED ? 'the' : 'at most'} ${most} bytes that ${packed} can hold`,
      got: `${size}`,
    })
  }
}

function zipEntry(entry: DirectoryEntry, archive: Uint8Array, inflate: Inflate | null): ZipEntry {
  const { name, method, crc, size } = entry
  const read = (): Uint8Array => {
    const place = locateEntry(archive, entry)
    if (place === null) throw within(quote(name), damaged('its two headers disagree'))
    const packed = archive.subarray(place.from, place.to)
    const unpacked = method === STORED ? packed : unpack(inflate!, packed, size, name)
    if (crc32(unpacked) !== crc) throw within(quote(name), damaged('Invalid CRC32'))
    return unpacked
  }
  return Object.freeze({ size, read })
}

function unpack(inflate: Inflate, packed: Uint8Array, size: number, name: string): Uint8Array {
  try {
    // One byte more, which is filled where more comes out than was promised.
    const unpacked = inflate(packed, { out: new Uint8Array(size + 1) })
    if (unpacked.length === size) return unpacked
  } catch (cause) {
    throw within(
      quote(name),
      damaged(cause instanceof Error ? cause.message : String(cause), cause),
    )
  }
  throw within(quote(name), damaged(`its size is not the ${size} bytes that were promised`))
}

function damaged(got: string, cause?: unknown): GruvError {
  return new GruvError('bad-file', 'the zip archive is damaged', {
    got,
    fix: 'Copy or save it again; `python3 -m zipfile -t` says the same.',
    ...(cause !== undefined && { cause }),
  })
}
