/**
 * Reads and writes safetensors files: named tensors behind a JSON header,
 * https://github.com/huggingface/safetensors.
 *
 * Eight bytes of length, a JSON object, the numbers: little endian, C order, without a gap. The
 * rules are those of the reference implementation (`safetensors/src/tensor.rs`).
 */

import { GruvError, locate } from '../errors.ts'
import { type Named, sizeOf, type Tensor, toTensor } from '../tensor.ts'
import { showBytes } from './byte-arrays.ts'
import { isCounts } from './checks.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from './json/object.ts'
import { encodeNumbers, storageOf } from './numbers/encode.ts'
import { type BinaryType, bytesPer, decodeNumbers } from './numbers/storage.ts'
import { quote, showExtents } from './show.ts'

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: Named<Tensor>
}

const LENGTH_BYTES = 8
const METADATA = '__metadata__'

/** The limit of the reference implementation, against headers that cost more than the tensors. */
const MOST_HEADER_BYTES = 100_000_000

/** The format sets no limit; no framework has more. */
const MOST_AXES = 64

/**
 * All tensors of a file, by name in the order of their bytes.
 * @returns `dtype` as stored; F16, BF16 and F32 as Float32Array, the rest as Float64Array (64-bit
 *   integers beyond ±2^53 rounded).
 * @throws GruvError `bad-file` when the file breaks a rule of the format, `unsupported` for dtypes
 *   that gruv does not have (8-bit floats and below, complex), `too-large` for the header.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, body } = split(bytes)
  const metadata = readMetadata(header[METADATA])
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, description]) => locate(quote(name), () => readEntry(name, description)))
    .sort((a, b) => a.begin - b.begin || a.end - b.end)

  let at = 0
  for (const { name, begin, end } of entries) {
    if (begin !== at || end > body.length) {
      throw new GruvError('bad-file', 'the tensors do not lie side by side in the file', {
        where: quote(name),
        expected: `data_offsets from ${at} on, at most ${body.length}`,
        got: `${begin} to ${end}`,
      })
    }
    at = end
  }
  if (at !== body.length) {
    throw new GruvError('bad-file', 'the file does not end where its last tensor does', {
      where: `byte ${bytes.length - body.length + at}`,
      expected: `${at} bytes of tensors`,
      got: `${body.length}`,
    })
  }
  const tensors = entries.map(({ name, dtype, shape, begin, end }): [string, Tensor] => [
    name,
    { shape, data: decodeNumbers(body.subarray(begin, end), dtype), dtype },
  ])
  return { metadata, tensors: Object.fromEntries(tensors) }
}

function split(bytes: Uint8Array): { header: JsonObject; body: Uint8Array } {
  if (bytes.length < LENGTH_BYTES) throw cutOff('the file is too short', LENGTH_BYTES, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(0, true))
  const rest = bytes.subarray(LENGTH_BYTES)
  if (length > rest.length) throw cutOff('the header does not fit the file', length, rest.length)
  if (length > MOST_HEADER_BYTES) {
    throw new GruvError('too-large', 'the header is too long', {
      where: 'byte 0',
      expected: `at most ${MOST_HEADER_BYTES} bytes`,
      got: `${length}`,
    })
  }
  return { header: parseHeader(rest.subarray(0, length)), body: rest.subarray(length) }
}

function cutOff(problem: string, expected: number, got: number): GruvError {
  return new GruvError('bad-file', problem, {
    where: 'byte 0',
    expected: `${expected} bytes`,
    got: `${got}`,
    fix: 'The file was cut off, or is no safetensors file.',
  })
}

const BRACE = 0x7b

/**
 * No search for names that come twice: the bytes of the one that is lost belong to no tensor then,
 * which is refused.
 */
function parseHeader(bytes: Uint8Array): JsonObject {
  if (bytes[0] !== BRACE) throw wrong('header', 'an opening brace first', showBytes(bytes))
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new GruvError('bad-file', 'the header is not UTF-8', { where: 'header', cause })
  }
  return locate('header', () => parseJsonObject(text))
}

function readMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  const entries = Object.entries(object(value, 'an object of strings', METADATA))
  for (const [key, each] of entries) {
    if (typeof each !== 'string') throw wrong(`${METADATA}, ${quote(key)}`, 'a string', each)
  }
  return Object.fromEntries(entries) as Record<string, string>
}

interface Entry {
  readonly name: string
  readonly dtype: BinaryType
  readonly shape: readonly number[]
  /** Counted from the end of the header. */
  readonly begin: number
  readonly end: number
}

function readEntry(name: string, description: unknown): Entry {
  const { dtype: dtypeName, shape, data_offsets: offsets } = object(description, 'an object')
  if (!isCounts(shape) || shape.length > MOST_AXES) throw wrong('shape', 'extents', shape)
  if (!isCounts(offsets) || offsets.length !== 2) throw wrong('data_offsets', 'two counts', offsets)
  const [begin, end] = offsets
  const dtype = readDtype(dtypeName)
  const size = sizeOf(shape) * bytesPer(dtype)
  if (end - begin !== size) {
    throw new GruvError('bad-file', 'the shape does not fit the bytes', {
      where: 'data_offsets',
      expected: `${size} bytes for ${showExtents(shape)} of ${dtypeName}`,
      got: `${end - begin}`,
    })
  }
  return { name, dtype, shape, begin, end }
}

const dtypes: ReadonlyMap<unknown, BinaryType> = new Map([
  ['BOOL', 'bool'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I32', 'int32'],
  ['U32', 'uint32'],
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
])

function nameOf(storage: BinaryType): string {
  return [...dtypes].find(([, dtype]) => dtype === storage)![0] as string
}

function readDtype(name: unknown): BinaryType {
  const dtype = dtypes.get(name)
  if (dtype !== undefined) return dtype
  if (typeof name !== 'string') throw wrong('dtype', 'the name of a type', name)
  throw new GruvError('unsupported', 'this type of number is not read', {
    where: 'dtype',
    expected: [...dtypes.keys()].join(', '),
    got: quote(name),
  })
}

function object(value: unknown, expected: string, where?: string): JsonObject {
  if (isJsonObject(value)) return value
  throw wrong(where, expected, value)
}

function wrong(where: string | undefined, expected: string, value: unknown): GruvError {
  return new GruvError('bad-file', 'the header is not right', {
    ...(where !== undefined && { where }),
    expected,
    got: quote(JSON.stringify(value) ?? 'nothing'),
  })
}

/** A multiple of the size of every type, so that each tensor can be viewed in place. */
const ALIGNMENT = 8

/**
 * Each tensor in its dtype, printed numbers in that of their array. The widest first, then by name,
 * as the reference implementation orders them: the same tensors give the same bytes.
 * @throws GruvError `bad-shape` when the data does not fill the shape, `bad-argument` for a tensor
 *   that is called `__metadata__`.
 */
export function writeSafetensors({
  metadata = {},
  tensors,
}: {
  readonly metadata?: Readonly<Record<string, string>>
  readonly tensors: Named<Tensor>
}): Uint8Array {
  if (Object.hasOwn(tensors, METADATA)) {
    throw new GruvError('bad-argument', `no tensor can be called ${METADATA}`)
  }
  const entries = Object.entries(tensors)
    .map(([name, tensor]) => {
      const storage = storageOf(tensor)
      const bytes = tensor.data.length * bytesPer(storage)
      return { name, storage, bytes, ...toTensor(tensor, quote(name)) }
    })
    .sort((a, b) => bytesPer(b.storage) - bytesPer(a.storage) || (a.name < b.name ? -1 : 1))

  // Text rather than an object, which would put names that look like integers first.
  const members =
    Object.keys(metadata).length > 0 ? [`"${METADATA}":${JSON.stringify(metadata)}`] : []
  let at = 0
  for (const { name, shape, storage, bytes } of entries) {
    const description = { dtype: nameOf(storage), shape, data_offsets: [at, at + bytes] }
    members.push(`${JSON.stringify(name)}:${JSON.stringify(description)}`)
    at += bytes
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const headerLength = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT

  const start = LENGTH_BYTES + headerLength
  const file = new Uint8Array(start + at)
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true)
  file.fill(0x20, LENGTH_BYTES, start)
  file.set(json, LENGTH_BYTES)
  let offset = start
  for (const { data, storage, bytes } of entries) {
    file.set(encodeNumbers(data, storage), offset)
    offset += bytes
  }
  return file
}
