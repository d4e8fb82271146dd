/** The values of a PyTorch file, as plain data. */

import type { BinaryType } from '../numbers/storage.ts'
import type { PickleScalar } from '../pickle/values.ts'

export type TorchValue =
  | PickleScalar
  | TorchTensor
  | TorchStorage
  | TorchDict
  | readonly TorchValue[]
  | TorchObject

/** Keys that are not strings are written as Python prints them. */
export type TorchDict = ReadonlyMap<string, TorchValue>

/** An object of a class without a meaning here: described, not made. */
export interface TorchObject {
  readonly kind: 'object'
  /** `module.name` */
  readonly className: string
  /** Attributes, or another state that it would be restored from. */
  state: TorchValue
  /** The arguments of its constructor, then items and entries that would be added. */
  readonly parts: TorchValue[]
}

/** Consecutive numbers, in the file or in the pickle itself. */
export interface TorchStorage {
  readonly kind: 'storage'
  /** Where it lies in the file; null when its bytes are here. */
  readonly key: string | null
  readonly bytes: Uint8Array | null
  /** Such as `torch.FloatStorage`. */
  readonly className: string
  /** null for types that gruv does not have, such as complex numbers. */
  readonly dtype: BinaryType | null
  readonly littleEndian: boolean | null
  /** Where it begins within the storage of that key, in elements (views, old files). */
  readonly from: number
}

/** A view of a storage; its numbers are read when they are needed. */
export interface TorchTensor {
  readonly kind: 'tensor'
  readonly dtype: BinaryType | null
  readonly shape: readonly number[]
  /** In elements, none negative. */
  readonly strides: readonly number[]
  readonly offset: number
  readonly storage: TorchStorage
}

/** The content of a file: the tree, and bytes by the key of a storage. */
export interface TorchContents {
  readonly container: string
  readonly value: TorchValue
  readonly littleEndian: boolean
  readonly storage: (key: string) => Promise<Uint8Array>
}

export function isDict(value: TorchValue): value is TorchDict {
  return value instanceof Map
}

export function isTensor(value: TorchValue): value is TorchTensor {
  return hasKind(value, 'tensor')
}

export function isStorage(value: TorchValue): value is TorchStorage {
  return hasKind(value, 'storage')
}

export function isObject(value: TorchValue): value is TorchObject {
  return hasKind(value, 'object')
}

function hasKind(value: TorchValue, kind: string): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
}
