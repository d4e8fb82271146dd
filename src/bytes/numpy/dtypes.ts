/** NumPy's types of numbers by the names of its array interface. */

import type { BinaryType } from '../numbers/storage.ts'

/** A letter for the kind, then bytes for each number. */
export const numpyTypes: Readonly<Record<string, BinaryType>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
}
