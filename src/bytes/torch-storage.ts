/** The classes of PyTorch's storages, and what their numbers are. */

import type { BinaryType } from './storage.ts'
import type { TorchStorage } from './torch-tree.ts'

interface StorageClass {
  /** null for what gruv has no numbers for. */
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

/** `torch.float32` and its like, by the last part of the name. */
const dtypes: Readonly<Record<string, BinaryType>> = {
  float64: 'float64',
  float32: 'float32',
  float16: 'float16',
  bfloat16: 'bfloat16',
  int64: 'int64',
  int32: 'int32',
  int16: 'int16',
  int8: 'int8',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  bool: 'bool',
}

export function dtypeByName(name: string): BinaryType | null {
  return Object.hasOwn(dtypes, name) ? dtypes[name] : null
}

export function storageOf(className: string, key: string, from: number): TorchStorage {
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

/** Bytes for each element of a storage; undefined for a class nobody knows. */
export function elementBytes({ className }: TorchStorage): number | undefined {
  return classOf(className)?.bytes
}

function classOf(className: string): StorageClass | undefined {
  const name = className.split('.').at(-1)!
  return Object.hasOwn(storageClasses, name) ? storageClasses[name] : undefined
}
