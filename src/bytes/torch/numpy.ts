/** Reads NumPy's scalars and arrays in a pickle: losses, scalers, histories beside the weights. */

import { sizeOf } from '../../tensor.ts'
import { isCounts } from '../checks.ts'
import type { BinaryType } from '../numbers/storage.ts'
import { bytesPer, decodeNumbers } from '../numbers/storage.ts'
import { stridesOf } from '../numbers/strided.ts'
import { numpyTypes } from '../numpy/dtypes.ts'
import type { PickleCall, PickleValue } from '../pickle/values.ts'
import { type Interpreter, items, type Meaning } from './interpreter.ts'
import type { TorchValue } from './values.ts'

/** NumPy 2 moved them. */
const modules = ['numpy.core.multiarray', 'numpy._core.multiarray'] as const

export const numpyCalls: Readonly<Record<string, Meaning>> = Object.fromEntries(
  modules.flatMap((module) => [
    [`${module}.scalar`, scalar],
    [`${module}._reconstruct`, array],
  ]),
)

/** (type, bytes) */
function scalar({ args }: PickleCall, interpreter: Interpreter): TorchValue {
  const [type, content] = items(args)
  const bytes = interpreter.tree(content ?? null)
  const found = typeOf(type)
  if (found === null || !(bytes instanceof Uint8Array) || bytes.length !== bytesPer(found.dtype))
    return unknown(interpreter, 'numpy.scalar', args)
  return decodeNumbers(bytes, found.dtype, found.littleEndian)[0]
}

/** Called for an empty array, whose state is (version, shape, type, is Fortran order, bytes). */
function array({ args, state }: PickleCall, interpreter: Interpreter): TorchValue {
  const [, rawShape, type, rawFortran, content] = items(state)
  const shape = interpreter.tree(rawShape ?? null)
  const bytes = interpreter.tree(content ?? null)
  const found = typeOf(type)
  if (found === null || !isShape(shape) || !(bytes instanceof Uint8Array))
    return unknown(interpreter, 'numpy.ndarray', args)
  return {
    kind: 'tensor',
    dtype: found.dtype,
    shape,
    strides: stridesOf(shape, rawFortran === true),
    offset: 0,
    storage: {
      kind: 'storage',
      key: null,
      bytes,
      className: 'numpy.ndarray',
      dtype: found.dtype,
      littleEndian: found.littleEndian,
      from: 0,
    },
  }
}

/** NumPy has at most 32 axes, 64 from version 2 on. */
const MOST_AXES = 64

function isShape(value: TorchValue): value is readonly number[] {
  return isCounts(value) && value.length <= MOST_AXES && Number.isSafeInteger(sizeOf(value))
}

/** `numpy.dtype('f8', …)`, whose state names the order of bytes second. */
function typeOf(
  value: PickleValue | undefined,
): { dtype: BinaryType; littleEndian: boolean } | null {
  if (typeof value !== 'object' || value === null || !('callable' in value)) return null
  const [name] = items(value.args)
  const [, order] = items(value.state)
  if (typeof name !== 'string' || !Object.hasOwn(numpyTypes, name)) return null
  return { dtype: numpyTypes[name], littleEndian: order !== '>' }
}

function unknown(interpreter: Interpreter, className: string, args: PickleValue): TorchValue {
  return { kind: 'object', className, state: interpreter.tree(args), parts: [] }
}
