/**
 * Reads TensorFlow checkpoints of version 2, which are also the `variables/` of a SavedModel: an
 * index of names and shards of raw numbers (tensorflow/core/protobuf/tensor_bundle.proto, and
 * tensor_bundle.h beside its reader).
 */

import { GruvError, locate } from '../../errors.ts'
import { sizeOf, type Tensor } from '../../tensor.ts'
import { isCounts } from '../checks.ts'
import { crc32c } from '../crc32.ts'
import { type BinaryType, bytesPer, decodeNumbers } from '../numbers/storage.ts'
import { type MessageOf, message, readMessage } from '../protobuf/read.ts'
import { quote, showExtents } from '../show.ts'
import { Cursor, maskCrc32c, readSstable, wrongChecksum } from './sstable.ts'

export interface BundleEntry {
  readonly shape: readonly number[]
  /** Absent when it holds no numbers. */
  readonly dtype: BinaryType | undefined
  /**
   * The numbers, read anew at each call.
   * @throws GruvError `bad-file` when some are missing or their checksum is wrong, `unsupported`
   *   when the entry holds no numbers, or holds them in slices.
   */
  readonly read: () => Tensor
  /**
   * The strings of a string tensor in C order, as bytes.
   * @throws GruvError as `read` does.
   */
  readonly readStrings: () => readonly Uint8Array[]
}

export type Bundle = ReadonlyMap<string, BundleEntry>

/** The key of the object graph among the entries; see `objects.ts`. */
export const OBJECT_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'

const header = message({ shards: [1, 'int32'], endianness: [2, 'enum'] })

const extent = message({ size: [1, 'int64'] })
const shape = message({ extents: [2, () => extent, 'repeated'] })
const entry = message({
  dtype: [1, 'enum'],
  shape: [2, () => shape, 'optional'],
  shard: [3, 'int32'],
  offset: [4, 'int64'],
  size: [5, 'int64'],
  /** Masked. */
  crc32c: [6, 'fixed32'],
  slices: [7, 'bytes', 'repeated'],
})
type Entry = MessageOf<typeof entry>

/** tensorflow/core/framework/types.proto. */
const dtypes: ReadonlyMap<number, BinaryType> = new Map([
  [1, 'float32'],
  [2, 'float64'],
  [3, 'int32'],
  [4, 'uint8'],
  [5, 'int16'],
  [6, 'int8'],
  [9, 'int64'],
  [10, 'bool'],
  [14, 'bfloat16'],
  [17, 'uint16'],
  [19, 'float16'],
  [22, 'uint32'],
  [23, 'uint64'],
])
const STRING = 7

/**
 * How many `.data-0000N-of-0000M` files an index belongs to.
 * @throws GruvError `bad-file` for a damaged index.
 */
export function countShards(index: Uint8Array): number {
  const { shards } = readHeader(readSstable(index))
  if (shards > 0 && shards <= MOST_SHARDS) return shards
  throw new GruvError('bad-file', 'the index counts parts that cannot be', {
    expected: `1 to ${MOST_SHARDS} .data files`,
    got: `${shards}`,
  })
}

/** The names of shards have numbers of five digits. */
const MOST_SHARDS = 99_999

function readHeader(table: ReturnType<typeof readSstable>): MessageOf<typeof header> {
  const bytes = table.get('')
  if (bytes !== undefined) return readMessage(bytes, header)
  throw new GruvError('bad-file', 'the index of the checkpoint has no header', {
    expected: 'an entry without a name',
  })
}

/**
 * The entries of a checkpoint by key, without their content.
 * @param index the `.index` file.
 * @param shards the `.data-0000N-of-0000M` files in order.
 * @throws GruvError `bad-file` for a damaged index, `not-found` for missing shards.
 */
export function readBundle(index: Uint8Array, shards: readonly Uint8Array[]): Bundle {
  const table = readSstable(index)
  const { shards: count, endianness } = readHeader(table)
  if (count !== shards.length) {
    throw new GruvError('not-found', 'the parts of the checkpoint are not all there', {
      expected: `${count} .data files`,
      got: `${shards.length}`,
    })
  }
  const bundle = new Map<string, BundleEntry>()
  for (const [key, value] of table) {
    if (key === '') continue
    const read = (): BundleEntry =>
      bundleEntry(key, readMessage(value, entry), shards, endianness === 0)
    bundle.set(key, locate(quote(key), read))
  }
  return bundle
}

function bundleEntry(
  key: string,
  entry: Entry,
  shards: readonly Uint8Array[],
  littleEndian: boolean,
): BundleEntry {
  const extents = entry.shape?.extents.map(({ size }) => size) ?? []
  if (!isCounts(extents)) {
    throw new GruvError('bad-file', 'this is no shape', { got: showExtents(extents) })
  }
  const dtype = dtypes.get(entry.dtype)
  const read = (): Tensor => {
    if (dtype === undefined) throw wrongType('numbers', entry.dtype)
    const bytes = contentOf(entry, shards)
    const size = sizeOf(extents) * bytesPer(dtype)
    if (size !== bytes.length) throw wrongSize(`${size} for ${showExtents(extents)}`, bytes.length)
    checkSum(maskCrc32c(crc32c(bytes)), entry)
    return { shape: extents, data: decodeNumbers(bytes, dtype, littleEndian), dtype }
  }
  const readStrings = (): readonly Uint8Array[] => {
    if (entry.dtype !== STRING) throw wrongType('strings', entry.dtype)
    return stringsOf(contentOf(entry, shards), sizeOf(extents), entry)
  }
  return {
    shape: extents,
    dtype,
    read: () => locate(quote(key), read),
    readStrings: () => locate(quote(key), readStrings),
  }
}

function contentOf(
  { slices, shard, offset, size }: Entry,
  shards: readonly Uint8Array[],
): Uint8Array {
  if (slices.length > 0) {
    throw new GruvError('unsupported', 'the variable is stored in slices', {
      fix: 'Save the model again without partitioned variables.',
    })
  }
  const file = shards[shard]
  if (file === undefined || offset < 0 || size < 0 || offset + size > file.length) {
    throw new GruvError('bad-file', 'the content does not lie inside its file', {
      where: `.data file ${shard} of ${shards.length}`,
      expected: `at most ${file?.length ?? 0} bytes`,
      got: `${offset} to ${offset + size}`,
      fix: 'The file was cut off, or belongs to another index.',
    })
  }
  return file.subarray(offset, offset + size)
}

/**
 * All lengths as varints, a checksum of them, the strings. The entry's checksum runs over the
 * lengths as 32-bit numbers, that checksum, and the strings.
 */
function stringsOf(bytes: Uint8Array, count: number, entry: Entry): readonly Uint8Array[] {
  if (count > bytes.length) throw wrongSize(`${count} or more for as many strings`, bytes.length)
  const cursor = new Cursor(bytes, 'the lengths of the strings')
  const lengths = Array.from({ length: count }, () => cursor.varint())
  const binary = new DataView(new ArrayBuffer(4 * count))
  lengths.forEach((length, i) => binary.setUint32(4 * i, length, true))
  let sum = crc32c(new Uint8Array(binary.buffer))
  const stored = cursor.bytes(4)
  const expected = new DataView(stored.buffer, stored.byteOffset).getUint32(0, true)
  if (maskCrc32c(sum) !== expected) {
    throw wrongChecksum('the lengths of the strings', expected, maskCrc32c(sum))
  }
  sum = crc32c(stored, sum)
  const strings = lengths.map((length) => cursor.bytes(length))
  if (!cursor.atEnd) throw wrongSize('the bytes of the strings', bytes.length)
  for (const string of strings) sum = crc32c(string, sum)
  checkSum(maskCrc32c(sum), entry)
  return strings
}

function checkSum(got: number, { crc32c: expected, shard, offset }: Entry): void {
  if (got !== expected) throw wrongChecksum(`.data file ${shard}, byte ${offset}`, expected, got)
}

function wrongSize(expected: string, got: number): GruvError {
  return new GruvError('bad-file', 'the bytes do not fit the shape', {
    expected: `${expected} bytes`,
    got: `${got}`,
  })
}

function wrongType(expected: string, dtype: number): GruvError {
  return new GruvError('unsupported', `the entry holds no ${expected} that gruv reads`, {
    expected: expected === 'strings' ? 'DT_STRING' : [...dtypes.values()].join(', '),
    got: dtype === STRING ? 'DT_STRING' : (dtypes.get(dtype) ?? `DataType ${dtype}`),
  })
}
