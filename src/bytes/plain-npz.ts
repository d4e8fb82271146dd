/**
 * A NumPy archive as `numpy.savez` and `numpy.savez_compressed` write it, for pages: read in a few
 * lines, or not at all. Whatever is unusual or wrong is for the whole reader (`npz.ts`), which knows
 * every rule of both formats and every message.
 */

import type { Named, Tensor } from '../tensor.ts'

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

// APPNOTE 4.3.7, 4.3.12, 4.3.16 and 4.5.3: signatures, and lengths without names.
const LOCAL = 0x04034b50
const LOCAL_LENGTH = 30
const ENTRY = 0x02014b50
const ENTRY_LENGTH = 46
const END = 0x06054b50
const END_LENGTH = 22
const ZIP64 = 0x00100001
/** In place of a size that stands in that field. */
const MOVED = 0xffffffff

/** A page has the patience for that much, and no archive is a bomb yet. */
const MOST_BYTES = 2 ** 26

/** What `readNpz` gives; throws where that has to look. */
export async function readPlainNpz(bytes: Uint8Array): Promise<Named<Tensor>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u16 = (at: number) => view.getUint16(at, true)
  const u32 = (at: number) => view.getUint32(at, true)
  const latin = (at: number, length: number) => text(bytes.subarray(at, at + length))
  const end = bytes.length - END_LENGTH
  const [count, directory] = [u16(end + 10), u32(end + 16)]
  // One disk, no comment, and all lies side by side: entries, directory, end.
  plain(littleEndian && u32(end) === END && u32(end + 4) === 0 && u16(end + 8) === count)
  plain(directory + u32(end + 12) === end && u16(end + 20) === 0)
  const tensors = new Map<string, Tensor>()
  let [entry, local, total] = [directory, 0, 0]
  for (let i = 0; i < count; i++) {
    const method = u16(entry + 10)
    const [crc, packed, size] = [16, 20, 24].map((at) => u32(entry + at))
    const nameLength = u16(entry + 28)
    const name = latin(entry + ENTRY_LENGTH, nameLength)
    // Nothing encrypted, nothing described behind its data, no further fields.
    plain(u32(entry) === ENTRY && (u16(entry + 8) & ~0x800) === 0 && u32(entry + 42) === local)
    // Nor is it a folder, by the attributes of DOS or Unix.
    plain(u32(entry + 30) === 0 && u16(entry + 34) === 0 && (u32(entry + 38) & 0x40000010) === 0)
    // The header before the data says the same, in NumPy's archives in a field of zip64: beside the
    // usual place, or, where a newer Python wrote it, instead.
    plain(u32(local) === LOCAL && latin(local + 4, 14) === latin(entry + 6, 14))
    plain(u16(local + 26) === nameLength && latin(local + LOCAL_LENGTH, nameLength) === name)
    const fieldAt = local + LOCAL_LENGTH + nameLength
    const extra = u16(local + 28)
    const sizes = `${[u32(local + 18), u32(local + 22)]}`
    plain(sizes === `${[packed, size]}` || (extra > 0 && sizes === `${[MOVED, MOVED]}`))
    const field = [0, 4, 8, 12, 16].map((at) => u32(fieldAt + at))
    plain(extra === 0 || (extra === 20 && `${field}` === `${[ZIP64, size, 0, packed, 0]}`))

    const from = fieldAt + extra
    const data = bytes.subarray(from, from + packed)
    total += size
    plain(/^[ -~]+\.npy$/.test(name) && !tensors.has(name) && total <= MOST_BYTES)
    plain(from + packed <= directory && (method === 8 || (method === 0 && packed === size)))
    const unpacked = method === 0 ? data : await inflate(data, size)
    plain(crc32(unpacked) === crc)
    tensors.set(name.slice(0, -4), readArray(unpacked))
    local = from + packed
    entry += ENTRY_LENGTH + nameLength
  }
  plain(count > 0 && local === directory && entry === end)
  return Object.fromEntries(tensors)
}

/** A raw deflate stream of exactly this many bytes when unpacked. */
async function inflate(data: Uint8Array, size: number): Promise<Uint8Array> {
  const unpacked = new Uint8Array(size)
  const reader = new Blob([data as BlobPart])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'))
    .getReader()
  let at = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    // Throws as soon as more comes out than was promised.
    unpacked.set(next.value, at)
    at += next.value.length
  }
  plain(at === size)
  return unpacked
}

const HEADER = /^\{'descr': '<f([48])', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n$/

/** An array of floats in C order, as version 1.0 of the .npy format has it (NEP 1). */
function readArray(bytes: Uint8Array): Tensor {
  const start = 10 + bytes[8] + 256 * bytes[9]
  plain(text(bytes.subarray(0, 6)) === '\x93NUMPY' && bytes[6] === 1 && bytes[7] === 0)
  const [, width, extents] = HEADER.exec(text(bytes.subarray(10, start)))!
  const shape = extents.split(/, ?/).filter(Boolean).map(Number)
  plain(bytes.length - start === shape.reduce((size, extent) => size * extent, Number(width)))
  const Numbers = width === '4' ? Float32Array : Float64Array
  // A copy is aligned, whatever the place in the file.
  const data = new Numbers(new Uint8Array(bytes.subarray(start)).buffer)
  return { shape, data, dtype: width === '4' ? 'float32' : 'float64' }
}

/** CRC-32 of ISO 3309, as in zip archives. */
function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** Otherwise the whole reader has to look. */
export function plain(condition: boolean): void {
  if (!condition) throw new Error('not plain')
}
