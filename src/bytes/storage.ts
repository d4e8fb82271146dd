/** How numbers lie in bytes: one row per storage type. */

import type { DType, Tensor } from '../tensor.ts'
import { decodeBfloat16, decodeHalf, encodeBfloat16, encodeHalf } from './half.ts'

export type BinaryType = Exclude<DType, 'text'>

interface Storage {
  readonly bytes: number
  readonly get: (view: DataView, at: number, littleEndian: boolean) => number
  /** Little endian. */
  readonly set: (view: DataView, at: number, value: number) => void
}

/** 64-bit integers beyond ±2^53 become the nearest float64. */
const storages: Readonly<Record<BinaryType, Storage>> = {
  bool: {
    bytes: 1,
    get: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
    set: (view, at, value) => view.setUint8(at, Number(value !== 0)),
  },
  int8: {
    bytes: 1,
    get: (view, at) => view.getInt8(at),
    set: (view, at, value) => view.setInt8(at, value),
  },
  uint8: {
    bytes: 1,
    get: (view, at) => view.getUint8(at),
    set: (view, at, value) => view.setUint8(at, value),
  },
  int16: {
    bytes: 2,
    get: (view, at, little) => view.getInt16(at, little),
    set: (view, at, value) => view.setInt16(at, value, true),
  },
  uint16: {
    bytes: 2,
    get: (view, at, little) => view.getUint16(at, little),
    set: (view, at, value) => view.setUint16(at, value, true),
  },
  int32: {
    bytes: 4,
    get: (view, at, little) => view.getInt32(at, little),
    set: (view, at, value) => view.setInt32(at, value, true),
  },
  uint32: {
    bytes: 4,
    get: (view, at, little) => view.getUint32(at, little),
    set: (view, at, value) => view.setUint32(at, value, true),
  },
  int64: {
    bytes: 8,
    get: (view, at, little) => Number(view.getBigInt64(at, little)),
    set: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  },
  uint64: {
    bytes: 8,
    get: (view, at, little) => Number(view.getBigUint64(at, little)),
    set: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  },
  float16: {
    bytes: 2,
    get: (view, at, little) => decodeHalf(view.getUint16(at, little)),
    set: (view, at, value) => view.setUint16(at, encodeHalf(value), true),
  },
  bfloat16: {
    bytes: 2,
    get: (view, at, little) => decodeBfloat16(view.getUint16(at, little)),
    set: (view, at, value) => view.setUint16(at, encodeBfloat16(value), true),
  },
  float32: {
    bytes: 4,
    get: (view, at, little) => view.getFloat32(at, little),
    set: (view, at, value) => view.setFloat32(at, value, true),
  },
  float64: {
    bytes: 8,
    get: (view, at, little) => view.getFloat64(at, little),
    set: (view, at, value) => view.setFloat64(at, value, true),
  },
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

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
  const single = dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float32'
  const numbers = single ? new Float32Array(count) : new Float64Array(count)
  for (let i = 0; i < count; i++) numbers[i] = get(view, i * width, littleEndian)
  return numbers
}

/**
 * Little endian, in the type of the array or another one; without a copy where none is needed.
 * Numbers that the type cannot hold are rounded to it.
 */
export function encodeNumbers(
  numbers: Float32Array | Float64Array,
  dtype: BinaryType = arrayType(numbers),
): Uint8Array {
  if (hostIsLittleEndian && dtype === arrayType(numbers))
    return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const { bytes: width, set } = storages[dtype]
  const bytes = new Uint8Array(numbers.length * width)
  const view = new DataView(bytes.buffer)
  numbers.forEach((value, i) => {
    set(view, i * width, value)
  })
  return bytes
}

/** The type a tensor can be written in without loss: its own, unless its numbers were changed since. */
export function storageOf({ data, dtype }: Tensor): BinaryType {
  if (dtype === undefined || dtype === 'text' || dtype === 'float32' || dtype === 'float64')
    return arrayType(data)
  const { get, set } = storages[dtype]
  const view = new DataView(new ArrayBuffer(8))
  const survives = (value: number): boolean => {
    if (dtype !== 'float16' && dtype !== 'bfloat16' && !Number.isInteger(value)) return false
    set(view, 0, value)
    return Object.is(get(view, 0, true), value) || Number.isNaN(value)
  }
  return data.every(survives) ? dtype : arrayType(data)
}

function arrayType(numbers: Float32Array | Float64Array): 'float32' | 'float64' {
  return numbers instanceof Float32Array ? 'float32' : 'float64'
}
