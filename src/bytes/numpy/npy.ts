/**
 * Reads and writes one NumPy array in a file (.npy): NEP 1, "A Simple File Format for NumPy
 * Arrays", versions 1 to 3.
 *
 * A magic string, two bytes of version, the header's length (two bytes, four from version 2 on),
 * the header, a Python dict that describes the array, and then the numbers, to the end of the file.
 */

import { GruvError } from '../../errors.ts'
import { type DType, sizeOf, type Tensor, toTensor } from '../../tensor.ts'
import { hasBytes, showBytes } from '../byte-arrays.ts'
import { encodeNumbers } from '../numbers/encode.ts'
import { type BinaryType, bytesPer, decodeNumbers } from '../numbers/storage.ts'
import { inCOrder, stridesOf } from '../numbers/strided.ts'
import { quote, showExtents } from '../show.ts'
import { numpyTypes } from './dtypes.ts'
import { type PythonLiteral, parsePythonLiteral } from './python-literal.ts'

export const npyMagic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const // \x93NUMPY

/** As many as NumPy 2 allows; a header could list thousands. */
const MOST_AXES = 64

/**
 * The most that version 1 can have. Longer headers describe records of very many fields, refused
 * anyway.
 */
const MOST_HEADER_BYTES = 65_535

/**
 * The array of an .npy file, in C order whatever the order in the file.
 * @returns `dtype` as stored; float16 and float32 as Float32Array, the rest as Float64Array
 *   (64-bit integers beyond ±2^53 rounded).
 * @throws GruvError `bad-file` when the file contradicts itself, `unsupported` for arrays of
 *   anything but real numbers: objects, text, dates, complex numbers, records.
 */
export function readNpy(bytes: Uint8Array): Tensor {
  const { text, end } = readHeader(bytes)
  const { descr, fortranOrder, shape } = describe(text)
  const { dtype, littleEndian } = parseDescr(descr)
  const expected = sizeOf(shape) * bytesPer(dtype)
  const body = bytes.subarray(end)
  if (body.length !== expected) {
    throw new GruvError('bad-file', 'the file does not hold the numbers its header promises', {
      where: `byte ${end}`,
      expected: `${expected} bytes for ${showExtents(shape)} of ${dtype}`,
      got: `${body.length}`,
      fix:
        body.length < expected
          ? 'The file was cut off: copy or save it again.'
          : 'Several arrays belong into one .npz (`numpy.savez`).',
    })
  }
  const data = decodeNumbers(body, dtype, littleEndian)
  return { shape, data: fortranOrder ? inCOrder(data, shape, stridesOf(shape, true)) : data, dtype }
}

function readHeader(bytes: Uint8Array): { text: string; end: number } {
  if (!hasBytes(bytes, npyMagic)) {
    throw new GruvError('bad-file', 'this is no .npy file', {
      where: 'byte 0',
      expected: '\\x93NUMPY',
      got: showBytes(bytes, npyMagic.length) || 'an empty file',
    })
  }
  const version = bytes[6]
  if (version === undefined || bytes.length < (version === 1 ? 10 : 12)) throw cutHeader(bytes, 12)
  if (version < 1 || version > 3 || bytes[7] !== 0) {
    throw new GruvError('unsupported', 'this version of the .npy format is not known', {
      where: 'byte 6',
      expected: '1.0, 2.0 or 3.0',
      got: `${version}.${bytes[7]}`,
    })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = version === 1 ? 10 : 12
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (end > bytes.length) throw cutHeader(bytes, end)
  if (end - start > MOST_HEADER_BYTES) {
    throw new GruvError('too-large', 'the header is too long', {
      where: 'byte 8',
      expected: `at most ${MOST_HEADER_BYTES} bytes`,
      got: `${end - start}`,
    })
  }
  return { text: decodeHeader(bytes.subarray(start, end), version), end }
}

/** Latin-1 up to version 2; version 3 has UTF-8, for the names of fields. */
function decodeHeader(bytes: Uint8Array, version: number): string {
  try {
    return new TextDecoder(version === 3 ? 'utf-8' : 'latin1', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new GruvError('bad-file', 'the header is not UTF-8', { where: 'header', cause })
  }
}

function cutHeader(bytes: Uint8Array, end: number): GruvError {
  return new GruvError('bad-file', 'the file ends within its header', {
    where: `byte ${bytes.length}`,
    expected: `at least ${end} bytes`,
    got: `${bytes.length}`,
    fix: 'The file was cut off: copy or save it again.',
  })
}

interface Description {
  readonly descr: PythonLiteral
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
}

const KEYS = ['descr', 'fortran_order', 'shape']

function describe(text: string): Description {
  const header = parsePythonLiteral(text)
  if (!(header instanceof Map) || header.size !== KEYS.length || !KEYS.every((k) => header.has(k)))
    throw wrongHeader(`a dict with ${KEYS.join(', ')}`, text)
  const fortranOrder = header.get('fortran_order')
  if (typeof fortranOrder !== 'boolean') throw wrongHeader('fortran_order True or False', text)
  return { descr: header.get('descr'), fortranOrder, shape: parseShape(header.get('shape'), text) }
}

function parseShape(shape: PythonLiteral, text: string): readonly number[] {
  if (typeof shape !== 'object' || shape === null || !('kind' in shape) || shape.kind !== 'tuple')
    throw wrongHeader('shape as a tuple', text)
  if (shape.items.length > MOST_AXES) throw wrongHeader(`at most ${MOST_AXES} axes`, text)
  for (const extent of shape.items) {
    if (typeof extent !== 'number' || extent < 0) throw wrongHeader('extents of 0 or more', text)
  }
  return shape.items as readonly number[]
}

function wrongHeader(expected: string, text: string): GruvError {
  const problem = 'the description of the array is not right'
  return new GruvError('bad-file', problem, { where: 'header', expected, got: quote(text.trim()) })
}

/** NumPy's one-letter kinds that hold no real numbers, and float of sizes that JavaScript lacks. */
const refusedKinds: Readonly<Record<string, string>> = {
  O: 'Python objects, stored as a pickle',
  S: 'byte strings',
  a: 'byte strings',
  U: 'text',
  c: 'complex numbers',
  M: 'dates',
  m: 'time spans',
  V: 'raw bytes or records',
  f: 'floats of another size (long double)',
}

/** A dtype's array-interface string: byte order, kind, bytes per number. A list is a record. */
function parseDescr(descr: PythonLiteral): { dtype: BinaryType; littleEndian: boolean } {
  if (typeof descr !== 'string') throw refuse('records (a structured dtype)')
  const match = /^([<>|=]?)([A-Za-z])(\d.*)?$/s.exec(descr)
  const name = match === null ? '' : `${match[2]}${match[3] ?? ''}`
  if (match !== null && Object.hasOwn(numpyTypes, name)) {
    return { dtype: numpyTypes[name], littleEndian: match[1] !== '>' }
  }
  const kind = match?.[2] ?? ''
  if (Object.hasOwn(refusedKinds, kind)) throw refuse(`${refusedKinds[kind]}: ${quote(descr)}`)
  throw new GruvError('bad-file', 'the dtype is not one of NumPy’s', {
    where: 'header, descr',
    expected: `< or >, then one of ${Object.keys(numpyTypes).join(', ')}`,
    got: quote(descr),
  })
}

function refuse(got: string): GruvError {
  return new GruvError('unsupported', 'the array does not hold real numbers', {
    where: 'header, descr',
    expected: 'float16, float32, float64, integers or bool',
    got,
    fix: 'Save it as numbers: `numpy.save(path, numpy.asarray(a, "float32"))`.',
  })
}

const descrOf = { float32: '<f4', float64: '<f8' } as const satisfies Partial<Record<DType, string>>

/**
 * NumPy leaves room so that the array can grow along its first axis without moving:
 * `numpy.lib.format`.
 */
const GROWTH_DIGITS = 21
const ALIGNMENT = 64

/**
 * The same bytes as `numpy.save` of NumPy 1.24 and later writes: version 1.0, little endian,
 * C order; `<f4` for a Float32Array, `<f8` for a Float64Array.
 * @throws GruvError `bad-shape` when the data does not fill the shape.
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  const { shape, data } = toTensor(tensor, 'tensor')
  const header = npyHeader(shape, data instanceof Float32Array ? 'float32' : 'float64')
  const file = new Uint8Array(header.length + data.byteLength)
  file.set(header)
  file.set(encodeNumbers(data), header.length)
  return file
}

/** The header: all bytes before the numbers. */
export function npyHeader(shape: readonly number[], type: keyof typeof descrOf): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dict = `{'descr': '${descrOf[type]}', 'fortran_order': False, 'shape': (${extents}), }`
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - `${shape[0]}`.length
  const unpadded = 10 + dict.length + growth + 1
  // NumPy pads by 1 to 64 bytes, never by none.
  const start = (Math.floor(unpadded / ALIGNMENT) + 1) * ALIGNMENT
  const text = `${dict.padEnd(start - 11)}\n`
  const header = new Uint8Array(start)
  header.set([...npyMagic, 1, 0])
  new DataView(header.buffer).setUint16(8, text.length, true)
  header.set(new TextEncoder().encode(text), 10)
  return header
}
