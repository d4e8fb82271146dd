/** The values that a pickle describes, as plain data. */

/** A value that has no parts. */
export type PickleScalar = null | boolean | number | bigint | string | Uint8Array

export type PickleValue =
  | PickleScalar
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PicklePersistent

export interface PickleSequence {
  readonly kind: 'list' | 'tuple' | 'set'
  readonly items: PickleValue[]
}

export interface PickleDict {
  readonly kind: 'dict'
  /** In the order of the file; of equal keys the last one counts. */
  readonly entries: PickleEntry[]
}

export type PickleEntry = readonly [key: PickleValue, value: PickleValue]

/** A class or function by name. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly module: string
  readonly name: string
}

/**
 * A call that Python would make, and what it would put into the result; here it is only recorded.
 */
export interface PickleCall {
  readonly kind: 'call'
  readonly callable: PickleValue
  readonly args: PickleValue
  /** The argument of `__setstate__`. */
  state: PickleValue
  /** Items that would be appended, and entries that would be set. */
  readonly items: PickleValue[]
  readonly entries: PickleEntry[]
}

/** An object outside of the pickle, under an id that the writer chose. */
export interface PicklePersistent {
  readonly kind: 'persistent'
  readonly id: PickleValue
}

/** `module.name`, as Python prints a class. */
export function showGlobal({ module, name }: PickleGlobal): string {
  return `${module}.${name}`
}
