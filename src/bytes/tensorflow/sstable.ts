/**
 * Reads sorted string tables as LevelDB and TensorFlow write them:
 * https://github.com/google/leveldb/blob/main/doc/table_format.md.
 *
 * Blocks of keys and values, an index block of their places, a footer. A key says how many bytes it
 * shares with the one before it.
 */

import { GruvError } from '../../errors.ts'
import { MOST_KEY_BYTES, MOST_KEY_EXPANSION } from '../../limits.ts'
import { showBytes } from '../byte-arrays.ts'
import { crc32c } from '../crc32.ts'
import { quote } from '../show.ts'

const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = 0xdb4775248b80fb57n
const UNCOMPRESSED = 0

const SURELY_SMALL = 2 ** 20

/**
 * All entries in the order of the file; values are views of it. Keys are UTF-8; other bytes become
 * replacement characters.
 * @throws GruvError `bad-file` for damage, every block having a checksum, `unsupported` for
 *   compressed blocks, `too-large` for keys that repeat each other too often.
 */
export function readSstable(file: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const footer = readFooter(file)
  const entries = new Map<string, Uint8Array>()
  let keyBytes = 0
  for (const { value } of blockEntries(readBlock(file, footer, 'the index'))) {
    const handle = new Cursor(value, 'the index').handle()
    for (const { key, value } of blockEntries(readBlock(file, handle, 'a block'))) {
      keyBytes += key.length
      if (keyBytes > Math.max(SURELY_SMALL, MOST_KEY_EXPANSION * file.length)) {
        throw new GruvError('too-large', 'the names in the table are too long for its size', {
          where: `block at byte ${handle.offset}`,
        })
      }
      const name = new TextDecoder().decode(key)
      if (entries.has(name)) {
        throw new GruvError('bad-file', 'the table has a name twice', { where: quote(name) })
      }
      entries.set(name, value)
    }
  }
  return entries
}

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Two handles, padding, the magic number. */
function readFooter(file: Uint8Array): Handle {
  const at = file.length - FOOTER_BYTES
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (at < 0 || view.getBigUint64(file.length - 8, true) !== MAGIC) {
    throw new GruvError('bad-file', 'this is no sorted string table', {
      where: `byte ${Math.max(0, file.length - 8)}`,
      expected: '57 fb 80 8b 24 75 47 db at its end',
      got: showBytes(file.subarray(-8)) || 'nothing',
      fix: 'The file was cut off, or is no .index file of a TensorFlow checkpoint.',
    })
  }
  const cursor = new Cursor(file.subarray(at, file.length - 8), 'the footer')
  cursor.handle() // Of the meta index, which TensorFlow leaves empty.
  return cursor.handle()
}

function readBlock(file: Uint8Array, { offset, size }: Handle, what: string): Uint8Array {
  const where = `${what} at byte ${offset}`
  if (offset + size + TRAILER_BYTES > file.length) {
    throw new GruvError('bad-file', 'the block does not lie inside the file', {
      where,
      expected: `at most ${file.length} bytes`,
      got: `${offset + size + TRAILER_BYTES}`,
    })
  }
  const end = offset + size
  const view = new DataView(file.buffer, file.byteOffset + end, TRAILER_BYTES)
  const expected = view.getUint32(1, true)
  const got = maskCrc32c(crc32c(file.subarray(offset, end + 1)))
  if (got !== expected) throw wrongChecksum(where, expected, got)
  if (file[end] !== UNCOMPRESSED) {
    throw new GruvError('unsupported', 'the block is compressed', {
      where,
      expected: 'no compression, as TensorFlow writes it',
      got: file[end] === 1 ? 'Snappy' : `type ${file[end]}`,
    })
  }
  return file.subarray(offset, end)
}

/**
 * A checksum as LevelDB and TensorFlow store it, so that checksums of checksums do not agree by
 * accident.
 */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

export function wrongChecksum(where: string, expected: number, got: number): GruvError {
  return new GruvError('bad-file', 'the checksum is not right', {
    where,
    expected: expected.toString(16),
    got: got.toString(16),
    fix: 'The file is damaged. Copy or save it again.',
  })
}

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

function* blockEntries(block: Uint8Array): Generator<Entry> {
  // After the entries: the places of keys that share nothing (for searching), and their count.
  const restarts =
    block.length < 4
      ? -1
      : new DataView(block.buffer, block.byteOffset + block.length - 4).getUint32(0, true)
  const end = block.length - 4 - 4 * restarts
  if (restarts < 0 || end < 0) throw damaged('a block', 'restarts that fit the block')
  const cursor = new Cursor(block.subarray(0, end), 'a block')
  let key = new Uint8Array(0)
  while (!cursor.atEnd) {
    const shared = cursor.varint()
    const added = cursor.varint()
    const valueBytes = cursor.varint()
    if (shared > key.length) throw damaged('a key', 'no more shared bytes than there are')
    const rest = cursor.bytes(added)
    if (shared + added > MOST_KEY_BYTES) {
      throw new GruvError('too-large', 'a name in the table is too long', {
        expected: `at most ${MOST_KEY_BYTES} bytes`,
        got: `${shared + added}`,
      })
    }
    const next = new Uint8Array(shared + added)
    next.set(key.subarray(0, shared))
    next.set(rest, shared)
    key = next
    yield { key, value: cursor.bytes(valueBytes) }
  }
}

/** Reads bytes one value after the other, never beyond their end. */
export class Cursor {
  private at = 0
  private readonly content: Uint8Array
  private readonly where: string

  constructor(content: Uint8Array, where: string) {
    this.content = content
    this.where = where
  }

  get atEnd(): boolean {
    return this.at === this.content.length
  }

  /** Seven bits a byte, the lowest first; nothing in a file we can hold exceeds 2^49. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.content[this.at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw damaged(this.where, 'a number')
  }

  bytes(count: number): Uint8Array {
    if (count > this.content.length - this.at) throw damaged(this.where, `${count} more bytes`)
    this.at += count
    return this.content.subarray(this.at - count, this.at)
  }

  handle(): Handle {
    const offset = this.varint()
    return { offset, size: this.varint() }
  }
}

function damaged(where: string, expected: string): GruvError {
  return new GruvError('bad-file', 'the table is damaged', { where, expected })
}
