/** NumPy's scalars and arrays inside a pickle: losses, scalers, histories beside the weights. */

import type { PickleCall, PickleValue } from './pickle.ts'
import type { BinaryType } from './storage.ts'
import { bytesPer, decodeNumbers } from './storage.ts'
import type { Interpreter, Meaning } from './torch-calls.ts'
import type { TorchValue } from './torch-tree.ts'

/** NumPy's names of types: a letter for the kind, then bytes. */
const types: Readonly<Record<string, BinaryType>> = {
  b1: 'bool',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
}

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
  const [type, content] = parts(args)
  const bytes = interpreter.tree(content ?? null)
  const found = typeOf(type)
  if (found === null || !(bytes instanceof Uint8Array) || bytes.length !== bytesPer(found.dtype))
    return unknown(interpreter, 'numpy.scalar', args)
  return decodeNumbers(bytes, found.dtype, found.littleEndian)[0]
}

/** Called for an empty array, whose state is (version, shape, type, is Fortran order, bytes). */
function array({ args, state }: PickleCall, interpreter: Interpreter): TorchValue {
  const [, rawShape, type, rawFortran, content] = parts(state)
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
function isShape(value: TorchValue): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= 64 &&
    value.every((each) => Number.isSafeInteger(each) && (each as number) >= 0) &&
    Number.isSafeInteger((value as number[]).reduce((a, b) => a * b, 1))
  )
}

function stridesOf(shape: readonly number[], fortran: boolean): readonly number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = 0; i < shape.length; i++) {
    const axis = fortran ? i : shape.length - 1 - i
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** `numpy.dtype('f8', …)`, whose state names the order of bytes second. */
function typeOf(
  value: PickleValue | undefined,
): { dtype: BinaryType; littleEndian: boolean } | null {
  if (typeof value !== 'object' || value === null || !('callable' in value)) return null
  const [name] = parts(value.args)
  const [, order] = parts(value.state)
  if (typeof name !== 'string' || !Object.hasOwn(types, name)) return null
  return { dtype: types[name], littleEndian: order !== '>' }
}

function parts(value: PickleValue): readonly PickleValue[] {
  return typeof value === 'object' && value !== null && 'items' in value ? value.items : []
}

function unknown(interpreter: Interpreter, className: string, args: PickleValue): TorchValue {
  return { kind: 'object', className, state: interpreter.tree(args), parts: [] }
}
