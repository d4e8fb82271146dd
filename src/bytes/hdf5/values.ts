/** Translates HDF5's types of numbers, and reads the values of attributes. */

import type { Metadata } from 'h5wasm'
import { GruvError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { type BinaryType, decodeNumbers } from '../numbers/storage.ts'
import type { OpenFile } from './session.ts'

export type { Metadata }

/**
 * A string, or all strings of an array in C order, or numbers. Attributes of other types
 * (compounds, references) and without a value (`h5py.Empty`) are left out.
 */
export type Hdf5Attribute = string | readonly string[] | Tensor

/** The classes of types, by their number (`H5T_class_t`). */
const classNames: readonly string[] = [
  'integers',
  'floats',
  'times',
  'strings',
  'bit fields',
  'opaque bytes',
  'compounds',
  'references',
  'an enumeration',
  'lists of any length',
  'arrays',
]
const INTEGER = 0
const FLOAT = 1
const STRING = 3
const OPAQUE = 5
const ENUM = 8

const integers: Readonly<Record<string, BinaryType>> = {
  'signed 1': 'int8',
  'signed 2': 'int16',
  'signed 4': 'int32',
  'signed 8': 'int64',
  'unsigned 1': 'uint8',
  'unsigned 2': 'uint16',
  'unsigned 4': 'uint32',
  'unsigned 8': 'uint64',
}
const floats: Readonly<Record<number, BinaryType>> = { 2: 'float16', 4: 'float32', 8: 'float64' }

/** Bytes without a type. */
export function isOpaque({ type }: Metadata): boolean {
  return type === OPAQUE
}

/** The type of the numbers, if gruv has it; h5py's booleans are an enumeration. */
export function numberType(metadata: Metadata): BinaryType | undefined {
  const { type, size, signed, enum_type: enumeration } = metadata
  if (type === FLOAT) return floats[size]
  if (type === ENUM && enumeration !== undefined && isBoolean(enumeration.members)) {
    return size === 1 ? 'bool' : undefined
  }
  const isInteger = type === INTEGER || (type === ENUM && enumeration?.type === INTEGER)
  return isInteger ? integers[`${signed ? 'signed' : 'unsigned'} ${size}`] : undefined
}

function isBoolean(members: Readonly<Record<string, number>>): boolean {
  return Object.keys(members).length === 2 && members.FALSE === 0 && members.TRUE === 1
}

export function typeName({ type, size }: Metadata): string {
  return `${classNames[type] ?? 'an unknown type'} of ${size} bytes`
}

/** @returns undefined for values that are neither strings nor numbers. */
export function readAttribute(
  { library, id }: OpenFile,
  path: string,
  name: string,
  metadata: Metadata,
): Hdf5Attribute | undefined {
  const { shape, size, total_size: count, vlen, type } = metadata
  const dtype = numberType(metadata)
  if (shape === null || (dtype === undefined && type !== STRING)) return undefined
  const length = count * size
  const at = library._malloc(length)
  if (at === 0) throw new GruvError('too-large', 'there is no memory for the attribute')
  try {
    library.get_attribute_data(id, path, name, BigInt(at))
    const bytes = library.HEAPU8.slice(at, at + length)
    if (dtype !== undefined) return { shape, data: decodeNumbers(bytes, dtype), dtype }
    const strings = vlen
      ? stringsAt(library.HEAPU8, new Uint32Array(bytes.buffer))
      : fixedStrings(bytes, metadata)
    return shape.length === 0 ? strings[0] : strings
  } finally {
    if (vlen) library.reclaim_vlen_memory(id, path, name, BigInt(at))
    library._free(at)
  }
}

/**
 * UTF-8 also where a file says ASCII: Keras writes encoded text as h5py's bytes. Other bytes become
 * replacement characters.
 */
const decoder = new TextDecoder()

/** Strings that end with NUL, at these addresses of the library's memory; 0 means an empty one. */
function stringsAt(memory: Uint8Array, addresses: Uint32Array): string[] {
  return Array.from(addresses, (at) =>
    at === 0 ? '' : decoder.decode(memory.subarray(at, memory.indexOf(0, at))),
  )
}

const SPACE_PADDED = 2

function fixedStrings(bytes: Uint8Array, { size, strpad }: Metadata): string[] {
  return Array.from({ length: bytes.length / size }, (_, i) => {
    const field = bytes.subarray(i * size, (i + 1) * size)
    const end = field.indexOf(0)
    const text = decoder.decode(end < 0 ? field : field.subarray(0, end))
    return strpad === SPACE_PADDED ? text.trimEnd() : text
  })
}
