/**
 * Reads PyTorch files (.pt, .pth): the zip archives of `torch.save` since 1.6 and of TorchScript,
 * and the row of pickles of earlier versions. Nothing in them is executed.
 *
 * Layout: PyTorch's `torch/serialization.py` and `caffe2/serialize/inline_container.cc`.
 */

import { GruvError } from '../../errors.ts'
import { Budget, type LimitOptions } from '../../limits.ts'
import { sizeOf, type Tensor } from '../../tensor.ts'
import { bytesPer, decodeNumbers } from '../numbers/storage.ts'
import { inCOrder } from '../numbers/strided.ts'
import { showExtents } from '../show.ts'
import { isZip } from '../zip/records.ts'
import { readLegacyTorch } from './legacy.ts'
import type { TorchContents, TorchTensor, TorchValue } from './values.ts'
import { readTorchZip } from './zip.ts'

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

/** @throws GruvError `unsupported` for a pickle that is no file of PyTorch. */
export async function readTorch(bytes: Uint8Array, limits?: LimitOptions): Promise<TorchFile> {
  const contents = isZip(bytes) ? await readTorchZip(bytes, limits) : readLegacyTorch(bytes)
  // Tied weights are read more than once and views overlap, but a file of views of one number
  // could fill any memory.
  const budget = Budget.reading(limits, bytes.length)
  const read = async (tensor: TorchTensor): Promise<Tensor> => {
    budget.spend('elements', sizeOf(tensor.shape), `a tensor of ${showExtents(tensor.shape)}`)
    return gather(tensor, contents)
  }
  return { container: contents.container, value: contents.value, read }
}

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
    data: isContiguous(shape, strides) ? numbers : inCOrder(numbers, shape, strides),
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
