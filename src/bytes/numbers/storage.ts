/** Decodes numbers from bytes: a table with one row per storage type. */

import type { DType } from '../../tensor.ts'
import { decodeBfloat16, decodeHalf } from './half.ts'

export type BinaryType = Exclude<DType, 'text'>

export interface Storage {
  readonly bytes: number
  readonly get: (view: DataView, at: number, littleEndian: boolean) => number
}

/** 64-bit integers beyond ±2^53 become the nearest float64. */
export const storages: Readonly<Record<BinaryType, Storage>> = {
  bool: { bytes: 1, get: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  int8: { bytes: 1, get: (view, at) => view.getInt8(at) },
  uint8: { bytes: 1, get: (view, at) => view.getUint8(at) },
  int16: { bytes: 2, get: (view, at, little) => view.getInt16(at, little) },
  uint16: { bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
  int32: { bytes: 4, get: (view, at, little) => view.getInt32(at, little) },
  uint32: { bytes: 4, get: (view, at, little) => view.getUint32(at, little) },
  int64: { bytes: 8, get: (view, at, little) => Number(view.getBigInt64(at, little)) },
  uint64: { bytes: 8, get: (view, at, little) => Number(view.getBigUint64(at, little)) },
  float16: { bytes: 2, get: (view, at, little) => decodeHalf(view.getUint16(at, little)) },
  bfloat16: { bytes: 2, get: (view, at, little) => decodeBfloat16(view.getUint16(at, little)) },
  float32: { bytes: 4, get: (view, at, little) => view.getFloat32(at, little) },
  float64: { bytes: 8, get: (view, at, little) => view.getFloat64(at, little) },
}

export const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export function bytesPer(dtype: BinaryType): number {
  return storages[dtype].bytes
}

/**
 * All of `bytes` as numbers, copied.
 * @returns Float32Array for float16, bfloat16 and float32, Float64Array for the rest.
 */
export function decodeNumbers(
  bytes: Uint8Array,
  dtype: BinaryType,
  littleEndian = true,
): Float32Array | Float64Array {
  if (littleEndian === hostIsLittleEndian) {
    // A copy is aligned, whatever the place in the file. (`slice` would not copy Node's Buffer.)
    if (dtype === 'float32') return new Float32Array(new Uint8Array(bytes).buffer)
    if (dtype === 'float64') return new Float64Array(new Uint8Array(bytes).buffer)
  }
  const { bytes: width, get } = storages[dtype]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.length / width
  const numbers = emptyNumbers(dtype, count)
  for (let i = 0; i < count; i++) numbers[i] = get(view, i * width, littleEndian)
  return numbers
}

/** Zeros in the array that numbers of this type are read into. */
export function emptyNumbers(dtype: DType, count: number): Float32Array | Float64Array {
  const single = dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float32'
  return single ? new Float32Array(count) : new Float64Array(count)
}
