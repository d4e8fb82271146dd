/**
 * Writes zip archives part by part, for entries that are too long to be held at once: stored
 * without compression, the same bytes as from `writeZip`. Sections are those of APPNOTE.TXT (see
 * `read.ts`).
 */

import { crc32 } from '../crc32.ts'
import { DIRECTORY_HEADER, END, LOCAL_HEADER } from './records.ts'
import { checkEntries } from './write.ts'

export interface StoredEntry {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Called twice: an entry's checksum comes before its bytes. */
  readonly parts: () => AsyncIterable<Uint8Array>
}

interface Written {
  readonly name: Uint8Array
  readonly size: number
  readonly crc: number
  readonly offset: number
  readonly utf8: boolean
}

/** 4.4.3: 2.0, which folders and deflate need and every reader supports. */
const VERSION = 20
/** 4.4.4: the name is UTF-8. */
const UTF8 = 0x0800
/** 4.4.6: 1980-01-01, as far back as the format goes. */
const EPOCH = 0x0021_0000

/**
 * @throws GruvError as `writeZip`, at once: `bad-argument` for a duplicate name, `too-large` from 4
 * GiB.
 */
export function storedZip(entries: readonly StoredEntry[]): AsyncIterable<Uint8Array> {
  checkEntries(entries)
  return zipParts(entries)
}

async function* zipParts(entries: readonly StoredEntry[]): AsyncGenerator<Uint8Array> {
  const written: Written[] = []
  let offset = 0
  for (const { name, size, parts } of entries) {
    let crc = 0
    for await (const part of parts()) crc = crc32(part, crc)
    const bytes = new TextEncoder().encode(name)
    const entry = { name: bytes, size, crc, offset, utf8: bytes.length !== name.length }
    written.push(entry)
    const header = localHeader(entry)
    yield header
    yield* parts()
    offset += header.length + size
  }
  const headers = written.map(directoryHeader)
  yield* headers
  const length = headers.reduce((sum, header) => sum + header.length, 0)
  yield endOfDirectory(written.length, length, offset)
}

function localHeader({ name, size, crc, utf8 }: Written): Uint8Array {
  const bytes = new Uint8Array(LOCAL_HEADER.size + name.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, LOCAL_HEADER.signature, true)
  putCommon(view, 4, { name, size, crc, utf8 })
  bytes.set(name, LOCAL_HEADER.size)
  return bytes
}

function directoryHeader({ name, size, crc, utf8, offset }: Written): Uint8Array {
  const bytes = new Uint8Array(DIRECTORY_HEADER.size + name.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, DIRECTORY_HEADER.signature, true)
  view.setUint16(4, VERSION, true)
  putCommon(view, 6, { name, size, crc, utf8 })
  view.setUint32(42, offset, true)
  bytes.set(name, DIRECTORY_HEADER.size)
  return bytes
}

/** From the version that is needed to the lengths of name and extra field; method 0 is "stored". */
function putCommon(
  view: DataView,
  at: number,
  { name, size, crc, utf8 }: Omit<Written, 'offset'>,
): void {
  view.setUint16(at, VERSION, true)
  view.setUint16(at + 2, utf8 ? UTF8 : 0, true)
  view.setUint32(at + 6, EPOCH, true)
  view.setUint32(at + 10, crc, true)
  view.setUint32(at + 14, size, true)
  view.setUint32(at + 18, size, true)
  view.setUint16(at + 22, name.length, true)
}

function endOfDirectory(count: number, length: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(END.size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, END.signature, true)
  view.setUint16(8, count, true)
  view.setUint16(10, count, true)
  view.setUint32(12, length, true)
  view.setUint32(16, offset, true)
  return bytes
}
