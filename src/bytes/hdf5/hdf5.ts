/**
 * Reads HDF5 files as a tree of groups, attributes and arrays:
 * https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html. The format itself is read by
 * h5wasm, see `session.ts`.
 */

import { GruvError, locate } from '../../errors.ts'
import { Budget, type LimitOptions } from '../../limits.ts'
import { sizeOf, type Tensor } from '../../tensor.ts'
import { type BinaryType, bytesPer, decodeNumbers } from '../numbers/storage.ts'
import { quote, showExtents } from '../show.ts'
import { checkHeaps } from './heaps.ts'
import { hdf5Sessions, inOtherFile, type OpenFile, type Session } from './session.ts'
import type { Hdf5Dataset, Hdf5Group } from './tree.ts'
import {
  type Hdf5Attribute,
  isOpaque,
  type Metadata,
  numberType,
  readAttribute,
  typeName,
} from './values.ts'

/** A model within a model takes five in Keras's files. */
const MOST_LEVELS = 64

/**
 * A link and an object header take at least this; where there are more members, some are the same
 * object again.
 */
const LEAST_BYTES_PER_OBJECT = 32

/** The least that the index of chunks holds for one of them. */
const LEAST_BYTES_PER_CHUNK = 8

const FEW_CHUNKS = 4096

const H5G_GROUP = 0
const H5G_DATASET = 1

/**
 * The tree of a file; numbers of datasets are read when asked for, from `bytes`, which must stay as
 * they are. Soft links and named types are left out.
 * @throws GruvError `bad-file` for a damaged file, `unsupported` for links into other files,
 *   `too-large` for arrays beyond the limit of `bytes`, or groups that hold themselves.
 */
export async function readHdf5(bytes: Uint8Array, limits?: LimitOptions): Promise<Hdf5Group> {
  return (await openHdf5(bytes, limits))()
}

/** The same for a tree that may not be needed: the function reads it. */
export async function openHdf5(bytes: Uint8Array, limits?: LimitOptions): Promise<() => Hdf5Group> {
  const session = await hdf5Sessions(limits)
  return () => {
    checkHeaps(bytes)
    return session(bytes, (file) => new TreeReader(bytes, session, file, limits).read())
  }
}

/** Keras stores bfloat16, which HDF5 does not know, as two opaque bytes and an attribute. */
function dtypeOf(
  metadata: Metadata,
  attributes: ReadonlyMap<string, Hdf5Attribute>,
): BinaryType | undefined {
  if (attributes.get('dtype') === 'bfloat16' && isOpaque(metadata) && metadata.size === 2)
    return 'bfloat16'
  return numberType(metadata)
}

class TreeReader {
  private objects = 0
  /** Bytes of attributes and arrays; checked before anything is read. */
  private readonly budget: Budget
  private readonly bytes: Uint8Array
  private readonly session: Session
  private readonly file: OpenFile

  constructor(
    bytes: Uint8Array,
    session: Session,
    file: OpenFile,
    limits: LimitOptions | undefined,
  ) {
    this.budget = Budget.reading(limits, bytes.length)
    this.bytes = bytes
    this.session = session
    this.file = file
  }

  read(): Hdf5Group {
    return this.group('/', 0)
  }

  private group(path: string, level: number): Hdf5Group {
    if (level > MOST_LEVELS) throw nestedTooDeeply(path, `${MOST_LEVELS} levels`)
    const { library, id } = this.file
    const attributes = this.attributes(path)
    const members = new Map<string, Hdf5Group | Hdf5Dataset>()
    for (const name of library.get_names(id, path, false)) {
      const memberPath = path === '/' ? `/${name}` : `${path}/${name}`
      if (isLink(this.file, memberPath)) continue
      const type = library.get_type(id, memberPath)
      if (type === H5G_GROUP) members.set(name, this.group(memberPath, level + 1))
      if (type === H5G_DATASET) members.set(name, this.dataset(memberPath))
    }
    return { kind: 'group', path, attributes, members }
  }

  private dataset(path: string): Hdf5Dataset {
    const { library, id } = this.file
    const attributes = this.attributes(path)
    const metadata = library.get_dataset_metadata(id, path)
    const shape = metadata.shape ?? []
    const dtype = metadata.shape === null ? undefined : dtypeOf(metadata, attributes)
    if (dtype !== undefined) {
      this.claim(path, metadata)
      this.checkChunks(path, metadata)
    }
    const read = (): Tensor => {
      if (dtype === undefined) throw noNumbers(path, metadata)
      return locate(quote(path), () => {
        const raw = this.session(this.bytes, (file) =>
          readRaw(file, path, sizeOf(shape), bytesPer(dtype)),
        )
        return { shape, data: decodeNumbers(raw, dtype), dtype }
      })
    }
    return { kind: 'dataset', path, attributes, shape, dtype, read }
  }

  private attributes(path: string): ReadonlyMap<string, Hdf5Attribute> {
    this.count(path)
    const { library, id } = this.file
    const attributes = new Map<string, Hdf5Attribute>()
    for (const name of library.get_attribute_names(id, path)) {
      this.count(path)
      const metadata = library.get_attribute_metadata(id, path, name)
      if (metadata.shape === null) continue
      this.claim(`${path} ${name}`, metadata)
      const value = readAttribute(this.file, path, name, metadata)
      if (value !== undefined) attributes.set(name, value)
    }
    return attributes
  }

  private count(path: string): void {
    const most = Math.ceil(this.bytes.length / LEAST_BYTES_PER_OBJECT)
    if (++this.objects > most) throw nestedTooDeeply(path, `${most} objects in such a file`)
  }

  private claim(where: string, { shape, size, total_size: count }: Metadata): void {
    // Extents have 64 bits in the file; the library's product of them can wrap around.
    if (sizeOf(shape ?? []) !== count) {
      throw new GruvError('bad-file', 'the shape contradicts the number of elements', {
        where: quote(where),
        expected: `${count}`,
        got: showExtents(shape ?? []),
      })
    }
    this.budget.spend('bytes', count * size, quote(where))
  }

  private checkChunks(path: string, { shape, chunks }: Metadata): void {
    if (chunks === null || shape === null) return
    let count = 1
    for (const [axis, extent] of shape.entries()) count *= Math.ceil(extent / chunks[axis])
    const most = FEW_CHUNKS + this.bytes.length / LEAST_BYTES_PER_CHUNK
    // Not `>`: a chunk of no extent would give NaN.
    if (count <= most) return
    throw new GruvError('too-large', 'the array lies in more chunks than the file can hold', {
      where: quote(path),
      expected: `at most ${Math.floor(most)}`,
      got: `${count}`,
    })
  }
}

/**
 * Whether a member is a soft link; other members are hard links.
 * @throws GruvError `unsupported` for a link into another file.
 */
function isLink({ library, id }: OpenFile, path: string): boolean {
  const external: { readonly filename?: string } = library.get_external_link(id, path)
  if (external.filename !== undefined) throw inOtherFile(external.filename, quote(path))
  // h5wasm's types promise a string.
  return (library.get_symbolic_link(id, path) as string | null) !== null
}

/** What the memory of an array holds before it is read, byte by byte: rare in numbers. */
const PATTERN = 0xa5
const OTHER_PATTERN = 0x5a

/**
 * The bytes of an array, little endian whatever the order in the file.
 *
 * Numbers that were never written are the fill value, where the file has one. Where it has none,
 * the library leaves the memory as it was: another pattern in it then gives another result.
 * @throws GruvError `bad-file` for numbers that were never written.
 */
function readRaw({ library, id }: OpenFile, path: string, count: number, each: number): Uint8Array {
  const size = count * each
  const at = library._malloc(size)
  if (at === 0) throw new GruvError('too-large', 'there is no memory for the array')
  const readOver = (pattern: number): Uint8Array => {
    library.HEAPU8.fill(pattern, at, at + size)
    library.get_dataset_data(id, path, null, null, null, BigInt(at))
    return library.HEAPU8.slice(at, at + size)
  }
  try {
    const bytes = readOver(PATTERN)
    if (!holds(bytes, PATTERN, each)) return bytes
    const again = readOver(OTHER_PATTERN)
    if (bytes.every((byte, i) => byte === again[i])) return bytes
    throw new GruvError('bad-file', 'numbers of this array were never written', {
      expected: 'numbers, or a fill value for those that are not there',
      fix: 'Save the model again: the saving was interrupted, or the file was tampered with.',
    })
  } finally {
    library._free(at)
  }
}

/** Whether all bytes of a number are the pattern. */
function holds(bytes: Uint8Array, pattern: number, each: number): boolean {
  for (let at = 0; at < bytes.length; at += each) {
    let same = 0
    while (same < each && bytes[at + same] === pattern) same++
    if (same === each) return true
  }
  return false
}

function noNumbers(path: string, metadata: Metadata): GruvError {
  return new GruvError('unsupported', 'this dataset holds no numbers that gruv reads', {
    where: quote(path),
    expected: 'booleans, integers, float16, float32 or float64',
    got: metadata.shape === null ? 'nothing' : typeName(metadata),
  })
}

function nestedTooDeeply(path: string, most: string): GruvError {
  return new GruvError('too-large', 'the groups are nested too deeply, or hold themselves', {
    where: quote(path),
    expected: `at most ${most}`,
  })
}
