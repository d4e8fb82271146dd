/** The classes of PyTorch's storages, and the types of their numbers. */

import { type BinaryType, storages } from '../numbers/storage.ts'
import type { TorchStorage } from './values.ts'

interface StorageClass {
  /** null for types that gruv does not have. */
  readonly dtype: BinaryType | null
  /** Bytes for each element. */
  readonly bytes: number
}

/** By the last part of the class's name; `torch.cuda.FloatStorage` is one too. */
const storageClasses: Readonly<Record<string, StorageClass>> = {
  DoubleStorage: { dtype: 'float64', bytes: 8 },
  FloatStorage: { dtype: 'float32', bytes: 4 },
  HalfStorage: { dtype: 'float16', bytes: 2 },
  BFloat16Storage: { dtype: 'bfloat16', bytes: 2 },
  LongStorage: { dtype: 'int64', bytes: 8 },
  IntStorage: { dtype: 'int32', bytes: 4 },
  ShortStorage: { dtype: 'int16', bytes: 2 },
  CharStorage: { dtype: 'int8', bytes: 1 },
  ByteStorage: { dtype: 'uint8', bytes: 1 },
  BoolStorage: { dtype: 'bool', bytes: 1 },
  UntypedStorage: { dtype: 'uint8', bytes: 1 },
  ComplexDoubleStorage: { dtype: null, bytes: 16 },
  ComplexFloatStorage: { dtype: null, bytes: 8 },
  QInt32Storage: { dtype: null, bytes: 4 },
  QInt8Storage: { dtype: null, bytes: 1 },
  QUInt8Storage: { dtype: null, bytes: 1 },
  QUInt4x2Storage: { dtype: null, bytes: 1 },
  QUInt2x4Storage: { dtype: null, bytes: 1 },
}

/** The type `float32` of `torch.float32`; null for types that gruv does not have. */
export function dtypeByName(name: string): BinaryType | null {
  return Object.hasOwn(storages, name) ? (name as BinaryType) : null
}

export function torchStorage(className: string, key: string, from: number): TorchStorage {
  return {
    kind: 'storage',
    key,
    bytes: null,
    className,
    dtype: classOf(className)?.dtype ?? null,
    littleEndian: null,
    from,
  }
}

/** Bytes for each element of a storage; undefined for an unknown class. */
export function elementBytes({ className }: TorchStorage): number | undefined {
  return classOf(className)?.bytes
}

function classOf(className: string): StorageClass | undefined {
  const name = className.split('.').at(-1)!
  return Object.hasOwn(storageClasses, name) ? storageClasses[name] : undefined
}
