/** The interpreter that the meaning of a pickled call is given, and readers of its arguments. */

import type {
  PickleCall,
  PickleGlobal,
  PickleScalar,
  PickleSequence,
  PickleValue,
} from '../pickle/values.ts'
import type { TorchDict, TorchValue } from './values.ts'

/** Turns the parts of a call into values. */
export interface Interpreter {
  tree(value: PickleValue): TorchValue
  dict(entries: PickleCall['entries']): TorchDict
  /** Characters up to 255 as bytes; the same text always gives the same array. */
  latin1(text: string): Uint8Array
}

export type Meaning = (call: PickleCall, interpreter: Interpreter) => TorchValue

/** The members of a tuple or list; none for any other value. */
export function items(value: PickleValue): readonly PickleValue[] {
  return isSequence(value) ? value.items : []
}

function isSequence(value: PickleValue): value is PickleSequence {
  return hasKind(value) && 'items' in value && value.kind !== 'call'
}

function hasKind(value: PickleValue): value is Exclude<PickleValue, PickleScalar> {
  return typeof value === 'object' && value !== null && 'kind' in value
}

export function isGlobal(value: PickleValue | undefined): value is PickleGlobal {
  return value !== undefined && hasKind(value) && value.kind === 'global'
}
