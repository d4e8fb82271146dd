/** Encodes numbers as bytes: a table with one row per storage type. */

import type { Tensor } from '../../tensor.ts'
import { encodeBfloat16, encodeHalf } from './half.ts'
import { type BinaryType, bytesPer, hostIsLittleEndian, storages } from './storage.ts'

/** Sets a number, little endian. */
type Setter = (view: DataView, at: number, value: number) => void

const setters: Readonly<Record<BinaryType, Setter>> = {
  bool: (view, at, value) => view.setUint8(at, Number(value !== 0)),
  int8: (view, at, value) => view.setInt8(at, value),
  uint8: (view, at, value) => view.setUint8(at, value),
  int16: (view, at, value) => view.setInt16(at, value, true),
  uint16: (view, at, value) => view.setUint16(at, value, true),
  int32: (view, at, value) => view.setInt32(at, value, true),
  uint32: (view, at, value) => view.setUint32(at, value, true),
  int64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  uint64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  float16: (view, at, value) => view.setUint16(at, encodeHalf(value), true),
  bfloat16: (view, at, value) => view.setUint16(at, encodeBfloat16(value), true),
  float32: (view, at, value) => view.setFloat32(at, value, true),
  float64: (view, at, value) => view.setFloat64(at, value, true),
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
  const width = bytesPer(dtype)
  const set = setters[dtype]
  const bytes = new Uint8Array(numbers.length * width)
  const view = new DataView(bytes.buffer)
  numbers.forEach((value, i) => {
    set(view, i * width, value)
  })
  return bytes
}

/**
 * The type a tensor can be written in without loss: its own, unless its numbers were changed since.
 */
export function storageOf({ data, dtype }: Tensor): BinaryType {
  if (dtype === undefined || dtype === 'text' || dtype === 'float32' || dtype === 'float64')
    return arrayType(data)
  const { get } = storages[dtype]
  const set = setters[dtype]
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
