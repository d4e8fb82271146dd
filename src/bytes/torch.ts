/**
 * Files of PyTorch (.pt, .pth): the zip archives of `torch.save` since 1.6 and of TorchScript, and
 * the row of pickles before it. Nothing in them is executed.
 *
 * Layout: PyTorch's `torch/serialization.py` and `caffe2/serialize/inline_container.cc`.
 */

import { GruvError } from '../errors.ts'
import { sizeOf, type Tensor } from '../tensor.ts'
import { showExtents } from './show.ts'
import { bytesPer, decodeNumbers } from './storage.ts'
import { readLegacyTorch } from './torch-legacy.ts'
import { isTorchZip } from './torch-magic.ts'
import type { TorchTensor, TorchValue } from './torch-tree.ts'
import { readTorchZip } from './torch-zip.ts'

export interface TorchFile {
  /** In words: `PyTorch archive`, `PyTorch file of the old format`, `TorchScript archive`. */
  readonly container: string
  readonly value: TorchValue
  /**
   * The numbers of a tensor in C order.
   * @throws GruvError `bad-file` when they reach outside of their storage, `unsupported` for types
   *   that are no real numbers, `too-large` when views multiply what the file holds.
   */
  readonly read: (tensor: TorchTensor) => Promise<Tensor>
}

/** What a container gives: the tree, and bytes by the key of a storage. */
export interface TorchContents {
  readonly container: string
  readonly value: TorchValue
  readonly littleEndian: boolean
  readonly storage: (key: string) => Promise<Uint8Array>
}

/** @throws GruvError `unsupported` for a pickle that is no file of PyTorch. */
export async function readTorch(bytes: Uint8Array): Promise<TorchFile> {
  const contents = isTorchZip(bytes) ? await readTorchZip(bytes) : readLegacyTorch(bytes)
  let budget = Math.max(SURELY_SMALL, MOST_EXPANSION * bytes.length)
  const read = async (tensor: TorchTensor): Promise<Tensor> => {
    budget -= sizeOf(tensor.shape)
    if (budget < 0) {
      throw new GruvError('too-large', 'the tensors hold far more numbers than the file', {
        got: showExtents(tensor.shape),
      })
    }
    return gather(tensor, contents)
  }
  return { container: contents.container, value: contents.value, read }
}

/** Tied weights are read more than once, views overlap; a file of views of one number is a bomb. */
const MOST_EXPANSION = 8

/** …but up to here nobody minds, in numbers. */
const SURELY_SMALL = 2 ** 22

async function gather(
  { dtype, shape, strides, offset, storage }: TorchTensor,
  { littleEndian, storage: bytesOf }: TorchContents,
): Promise<Tensor> {
  if (dtype === null) {
    throw new GruvError('unsupported', 'these are no real numbers', { got: storage.className })
  }
  const size = sizeOf(shape)
  const width = bytesPer(dtype)
  const bytes = storage.bytes ?? (await bytesOf(storage.key!))
  const first = storage.from + offset
  const last =
    size === 0 ? first : first + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i], 0)
  const end = size === 0 ? 0 : last + 1
  if (end * width > bytes.length) {
    throw new GruvError('bad-file', 'the tensor reaches outside of its storage', {
      expected: `at least ${end * width} bytes for ${showExtents(shape)}`,
      got: `${bytes.length}`,
    })
  }
  const span = bytes.subarray(size === 0 ? 0 : first * width, end * width)
  const numbers = decodeNumbers(span, dtype, storage.littleEndian ?? littleEndian)
  return {
    shape,
    data: isContiguous(shape, strides) ? numbers : strided(numbers, shape, strides),
    dtype,
  }
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 0) return true
    if (shape[axis] !== 1 && strides[axis] !== stride) return false
    stride *= shape[axis]
  }
  return true
}

/** From a span that begins with the tensor's first number, in C order. */
function strided(
  span: Float32Array | Float64Array,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array | Float64Array {
  const size = sizeOf(shape)
  const data = span instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
  const index = new Array<number>(shape.length).fill(0)
  let at = 0
  for (let i = 0; i < size; i++) {
    data[i] = span[at]
    // As an odometer: the last axis runs fastest.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]
      if (++index[axis] < shape[axis]) break
      at -= shape[axis] * strides[axis]
      index[axis] = 0
    }
  }
  return data
}
