/** Decodes TensorProto, ONNX's tensors, whose numbers are in the file or beside it. */

import { isCounts } from '../../bytes/checks.ts'
import { type BinaryType, bytesPer, decodeNumbers } from '../../bytes/numbers/storage.ts'
import { GruvError, within } from '../../errors.ts'
import { showShape, sizeOf, type Tensor } from '../../tensor.ts'
import type { SourceFile } from '../format.ts'
import { readSibling, siblingPath } from '../siblings.ts'
import type { GraphProto, NodeProto, TensorProto } from './proto.ts'

/** TensorProto.DataType: the types whose numbers gruv knows. */
const types: Readonly<Record<number, BinaryType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
}

/** The rest by name, for messages. */
const otherTypes: Readonly<Record<number, string>> = {
  0: 'no type',
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
}

/** The storage type behind a number of ONNX's enumeration; undefined for those without one. */
export function typeOf(code: number): BinaryType | undefined {
  return types[code]
}

export function showType(code: number): string {
  return types[code] ?? otherTypes[code] ?? `type ${code}`
}

/** Bytes beside the file, by the tensor that they belong to. */
export type ExternalData = ReadonlyMap<TensorProto, Uint8Array>

const EXTERNAL = 1

/**
 * The files with external data that the tensors of a graph refer to, each read once.
 * @throws GruvError `bad-file` for paths outside the model's folder and for places outside a file.
 */
export async function readExternalData(
  file: SourceFile,
  graph: GraphProto,
  functions: readonly { readonly nodes: readonly NodeProto[] }[],
): Promise<ExternalData> {
  const files = new Map<string, Uint8Array>()
  const found = new Map<TensorProto, Uint8Array>()
  for (const tensor of [
    ...graph.initializers,
    ...constantsOf(graph.nodes),
    ...functions.flatMap(({ nodes }) => constantsOf(nodes)),
  ]) {
    if (tensor.location !== EXTERNAL) continue
    const where = `tensor ${tensor.name}`
    const entries = new Map(tensor.external.map(({ key, value }) => [key, value]))
    try {
      const path = siblingPath(file, entries.get('location') ?? '')
      const bytes = files.get(path) ?? (await readSibling(file, path))
      files.set(path, bytes)
      const offset = wholeNumber(entries.get('offset') ?? '0')
      const length = wholeNumber(entries.get('length') ?? `${bytes.length - offset}`)
      if (offset + length > bytes.length) {
        throw new GruvError('bad-file', `'${path}' is shorter than the model says`, {
          expected: `at least ${offset + length} bytes`,
          got: `${bytes.length}`,
        })
      }
      found.set(tensor, bytes.subarray(offset, offset + length))
    } catch (error) {
      throw within(where, error)
    }
  }
  return found
}

function constantsOf(nodes: readonly NodeProto[]): readonly TensorProto[] {
  return nodes.flatMap(({ attributes }) =>
    attributes.flatMap(({ tensor }) => (tensor === undefined ? [] : [tensor])),
  )
}

function wholeNumber(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new GruvError('bad-file', 'a place in external data is a whole number of bytes', {
    got: JSON.stringify(text.slice(0, 40)),
  })
}

/**
 * @throws GruvError `bad-file` when the numbers do not fill the shape, `unsupported` for other
 * types.
 */
export function decodeTensor(proto: TensorProto, external: ExternalData): Tensor {
  const { name, dims } = proto
  const where = name === '' ? 'a tensor' : `tensor ${name}`
  const dtype = types[proto.type]
  if (dtype === undefined) {
    throw new GruvError('unsupported', `tensors of ${showType(proto.type)} are not read`, {
      where,
      expected: Object.values(types).join(', '),
    })
  }
  checkRank(where, dims.length)
  const size = sizeOf(dims)
  if (!isCounts(dims) || !Number.isSafeInteger(size)) {
    throw new GruvError('bad-file', 'this is not a shape', { where, got: showShape(dims) })
  }
  const raw = proto.location === EXTERNAL ? external.get(proto) : proto.raw
  if (proto.location === EXTERNAL && raw === undefined) {
    throw new GruvError(
      'unsupported',
      'external data is read for initializers and constants only',
      {
        where,
      },
    )
  }
  if (raw !== undefined && (raw.length > 0 || size === 0 || listed(proto, dtype).length === 0)) {
    expectSize(where, dims, size * bytesPer(dtype), raw.length, 'bytes')
    return { shape: dims, data: decodeNumbers(raw, dtype), dtype }
  }
  const list = listed(proto, dtype)
  expectSize(where, dims, size, list.length, 'numbers')
  return { shape: dims, data: fromList(list, dtype), dtype }
}

/** More axes than any tensor has. */
const MOST_AXES = 32

/** @throws GruvError `too-large` */
export function checkRank(where: string, rank: number): void {
  if (rank <= MOST_AXES) return
  throw new GruvError('too-large', 'this has too many axes', {
    where,
    expected: `at most ${MOST_AXES}`,
    got: `${rank}`,
  })
}

/** Which of the typed fields holds numbers of this type. */
function listed(proto: TensorProto, dtype: BinaryType): readonly number[] {
  if (dtype === 'float32') return proto.floats
  if (dtype === 'float64') return proto.doubles
  if (dtype === 'int64') return proto.int64s
  if (dtype === 'uint32' || dtype === 'uint64') return proto.uint64s
  return proto.int32s
}

function fromList(list: readonly number[], dtype: BinaryType): Float32Array | Float64Array {
  if (dtype === 'float32') return Float32Array.from(list)
  if (dtype !== 'float16' && dtype !== 'bfloat16') return Float64Array.from(list)
  // Sixteen bits of a float in each number.
  return decodeNumbers(new Uint8Array(Uint16Array.from(list).buffer), dtype)
}

function expectSize(
  where: string,
  dims: readonly number[],
  expected: number,
  got: number,
  unit: string,
): void {
  if (expected === got) return
  throw new GruvError('bad-file', 'the numbers do not fill the shape', {
    where,
    expected: `${expected} ${unit} for ${showShape(dims)}`,
    got: `${got}`,
  })
}
