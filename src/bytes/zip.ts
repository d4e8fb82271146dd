/**
 * Zip archives: APPNOTE.TXT, PKWARE's ".ZIP File Format Specification", version 6.3.10.
 *
 * Read by zip.js, which compares sizes, CRC-32 and the two headers of each entry; written by fflate.
 * Names are keys here and never become paths, so any name will do.
 */

import type { FileEntry, Reader } from '@zip.js/zip.js/lib/zip-core-reader.js'
import { GruvError, isGruvError, within } from '../errors.ts'
import { quote } from './show.ts'
import { withoutIdleZip64 } from './zip-end.ts'

export interface ZipEntry {
  /** Bytes, unpacked. */
  readonly size: number
  /** @throws GruvError `bad-file` when the entry is damaged. */
  readonly read: () => Promise<Uint8Array>
}

/** By name, in the order of the archive, without folders. */
export type ZipEntries = ReadonlyMap<string, ZipEntry>

/** What an archive without zip64 can count (APPNOTE 4.4.22); no network has as many arrays. */
const MOST_ENTRIES = 65_535

/**
 * Unpacked, an archive may be this many times its own size. Trained weights shrink to a half or
 * more; what shrinks to a hundredth is a bomb, or constant.
 */
const MOST_EXPANSION = 100

/** …but constants are what small tests are made of: up to here no archive is too large. */
const SURELY_SMALL = 64 * 2 ** 20

/** Two bits for 258 bytes: no deflate stream expands more (RFC 1951, 3.2.5). */
const DEFLATE_EXPANSION = 1032

const STORED = 0
const DEFLATED = 8

/** APPNOTE 4.4.5, those one meets. */
const methodNames: Readonly<Record<number, string>> = {
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'xz',
  99: 'AES encryption',
}

/**
 * The entries of an archive, listed but not yet unpacked.
 * @throws GruvError `bad-file` when the archive is damaged or names an entry twice, `unsupported`
 *   when it is encrypted or packed by another method than deflate, `too-large` for zip bombs.
 */
export async function readZip(bytes: Uint8Array): Promise<ZipEntries> {
  const { ZipReader } = await import('@zip.js/zip.js/lib/zip-core-reader.js')
  const reader = new ZipReader(sourceOf(bytes), {
    useWebWorkers: false,
    checkSignature: true,
    checkOverlappingEntry: true,
    filenameValidation: 'tolerant',
  })
  const entries = new Map<string, ZipEntry>()
  const mostBytes = Math.max(SURELY_SMALL, MOST_EXPANSION * bytes.length)
  let total = 0
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (entry.directory) continue
      check(entry, entries, bytes.length)
      total += entry.uncompressedSize
      if (total > mostBytes) throw tooLarge(mostBytes, total)
      entries.set(entry.filename, zipEntry(entry))
    }
  } catch (error) {
    throw translate(error)
  }
  return entries
}

function check(entry: FileEntry, earlier: ZipEntries, archiveSize: number): void {
  const where = quote(entry.filename)
  const { compressionMethod: method, compressedSize, uncompressedSize } = entry
  if (earlier.has(entry.filename)) {
    throw new GruvError('bad-file', 'the archive has two entries of the same name', { where })
  }
  if (earlier.size === MOST_ENTRIES) throw tooMany('more')
  if (entry.encrypted) {
    throw new GruvError('unsupported', 'the entry is encrypted', { where, fix: 'Unpack it first.' })
  }
  if (method !== STORED && method !== DEFLATED) {
    throw new GruvError('unsupported', 'this compression is not read', {
      where,
      expected: 'stored or deflated',
      got: methodNames[method] ?? `method ${method}`,
    })
  }
  if (compressedSize > archiveSize) {
    throw new GruvError('bad-file', 'the entry is larger than the archive', {
      where,
      expected: `at most ${archiveSize} bytes`,
      got: `${compressedSize}`,
    })
  }
  const most = method === STORED ? compressedSize : compressedSize * DEFLATE_EXPANSION
  if (uncompressedSize > most || (method === STORED && uncompressedSize !== compressedSize)) {
    throw new GruvError('bad-file', 'the sizes of the entry contradict each other', {
      where,
      expected: `${method === STORED ? 'the' : 'at most'} ${most} bytes that ${compressedSize} can hold`,
      got: `${uncompressedSize}`,
    })
  }
}

function zipEntry(entry: FileEntry): ZipEntry {
  const size = entry.uncompressedSize
  const read = async (): Promise<Uint8Array> => {
    const unpacked = new Uint8Array(size)
    let filled = 0
    const write = (chunk: Uint8Array): void => {
      unpacked.set(chunk, filled) // zip.js stops before more than `size` comes out.
      filled += chunk.length
    }
    try {
      await entry.getData(new WritableStream({ write }))
    } catch (error) {
      throw within(quote(entry.filename), translate(error))
    }
    return unpacked
  }
  return Object.freeze({ size, read })
}

/** Pieces of this size keep the number of promises small, and memory. */
const CHUNK = 2 ** 18

/** The file for zip.js, which would otherwise copy it. */
function sourceOf(bytes: Uint8Array): Reader<Uint8Array> {
  const [head, tail = new Uint8Array()] = withoutIdleZip64(bytes)
  const size = head.length + tail.length
  const slice = (from: number, to: number): Uint8Array => {
    if (to <= head.length) return head.subarray(from, to)
    const first = head.subarray(Math.min(from, head.length))
    const rest = tail.subarray(Math.max(0, from - head.length), to - head.length)
    const joined = new Uint8Array(first.length + rest.length)
    joined.set(first)
    joined.set(rest, first.length)
    return joined
  }
  const readUint8Array = async (from: number, length: number): Promise<Uint8Array> =>
    slice(from, Math.min(from + length, size))
  const createReadable = ({ offset = 0, size: wanted = size } = {}): ReadableStream => {
    const end = Math.min(offset + wanted, size)
    let at = offset
    return new ReadableStream({
      pull: (controller) => {
        if (at < end) controller.enqueue(slice(at, Math.min(at + CHUNK, end)))
        at += CHUNK
        if (at >= end) controller.close()
      },
    })
  }
  // The type wants the whole class, of which zip.js uses these three members.
  return { size, readUint8Array, createReadable } as unknown as Reader<Uint8Array>
}

function translate(error: unknown): unknown {
  if (isGruvError(error)) return error
  return new GruvError('bad-file', 'the zip archive is damaged', {
    got: error instanceof Error ? error.message : String(error),
    fix: 'Copy or save it again; `python3 -m zipfile -t` says the same.',
    cause: error,
  })
}

function tooMany(got: string): GruvError {
  return new GruvError('too-large', 'the archive has too many entries', {
    expected: `at most ${MOST_ENTRIES}`,
    got,
  })
}

function tooLarge(most: number, got: number): GruvError {
  return new GruvError('too-large', 'the entries of the archive are too large', {
    expected: `at most ${showSize(most)}`,
    got: showSize(got),
    fix: 'If it is no zip bomb, split it, or save it without compression.',
  })
}

function showSize(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}

export interface ZipInput {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Offsets have four bytes, of which the largest value means "see zip64"; less 16 MiB for headers. */
const MOST_BYTES = 2 ** 32 - 2 ** 24

/** As far back as the format goes: the same entries give the same archive at any time. */
const EPOCH = '1980-01-01T00:00:00'

/**
 * Entries stored as they are, as `numpy.savez` does, or deflated; the same bytes every time.
 * @throws GruvError `bad-argument` for two entries of one name, `too-large` from 4 GiB.
 */
export async function writeZip(
  entries: readonly ZipInput[],
  { compress = false }: { readonly compress?: boolean } = {},
): Promise<Uint8Array> {
  checkEntries(entries.map(({ name, bytes }) => ({ name, size: bytes.length })))
  const { zipSync } = await import('fflate')
  const files = Object.fromEntries(entries.map(({ name, bytes }) => [name, bytes]))
  return zipSync(files, { level: compress ? 6 : 0, mtime: EPOCH })
}

/** @throws GruvError `bad-argument` for two entries of one name, `too-large` from 4 GiB. */
export function checkEntries(
  entries: readonly { readonly name: string; readonly size: number }[],
): void {
  const names = new Set<string>()
  let total = 0
  for (const { name, size } of entries) {
    // fflate keeps entries as properties of an object, which this name would not become.
    if (names.has(name) || name === '__proto__') {
      throw new GruvError('bad-argument', 'this name cannot be used, or not twice', {
        where: quote(name),
      })
    }
    names.add(name)
    total += size
  }
  if (total > MOST_BYTES) {
    throw new GruvError('too-large', 'an archive does not hold so much', {
      expected: `at most ${showSize(MOST_BYTES)}`,
      got: showSize(total),
      fix: 'Write several archives.',
    })
  }
  if (names.size > MOST_ENTRIES) throw tooMany(`${names.size}`)
}
