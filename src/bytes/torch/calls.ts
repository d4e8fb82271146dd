/**
 * Gives the calls in PyTorch's pickles a meaning: tensors and their storages, ordered dictionaries,
 * NumPy's scalars and arrays. The arguments of each are those of its source: PyTorch's
 * `torch/_utils.py`, `torch/_tensor.py`, `torch/serialization.py`, CPython's
 * `copyreg.py`, NumPy's `numpy/core/src/multiarray/methods.c` (`__reduce__`).
 */

import { GruvError } from '../../errors.ts'
import { sizeOf } from '../../tensor.ts'
import { isCounts } from '../checks.ts'
import {
  type PickleCall,
  type PicklePersistent,
  type PickleValue,
  showGlobal,
} from '../pickle/values.ts'
import { type Interpreter, isGlobal, items, type Meaning } from './interpreter.ts'
import { numpyCalls } from './numpy.ts'
import { dtypeByName, torchStorage } from './storage.ts'
import { isStorage, type TorchTensor, type TorchValue } from './values.ts'

const tensorCalls: Readonly<Record<string, Meaning>> = {
  // (storage, offset, size, stride, …)
  'torch._utils._rebuild_tensor': rebuiltTensor,
  'torch._utils._rebuild_tensor_v2': rebuiltTensor,
  // (storage, offset, size, stride, requires_grad, hooks, dtype, metadata), the storage untyped
  'torch._utils._rebuild_tensor_v3': rebuiltTensor,
  // (data, requires_grad, hooks)
  'torch._utils._rebuild_parameter': first,
  'torch._utils._rebuild_parameter_with_state': first,
  // (function, class, arguments, state): a tensor with attributes, or of a class of its own
  'torch._tensor._rebuild_from_type_v2': rebuiltFromType,
  'torch._tensor._rebuild_from_type': rebuiltFromType,
}

const containerCalls: Readonly<Record<string, Meaning>> = {
  'collections.OrderedDict': dictionary,
  'collections.defaultdict': (call, interpreter) => interpreter.dict(call.entries),
  'torch.Size': first,
  'torch.jit._pickle.restore_type_tag': first,
  'torch.jit._pickle.build_intlist': first,
  'torch.jit._pickle.build_doublelist': first,
  'torch.jit._pickle.build_boollist': first,
  'torch.jit._pickle.build_tensorlist': first,
  '__builtin__.set': first,
  'builtins.set': first,
  '__builtin__.frozenset': first,
  'builtins.frozenset': first,
}

const builtinModules = ['__builtin__', 'builtins'] as const

const byteCalls: Readonly<Record<string, Meaning>> = {
  // (text, encoding): how protocols 0 to 2 write bytes
  '_codecs.encode': encodedBytes,
  ...Object.fromEntries(
    builtinModules.flatMap((module) => [
      [`${module}.bytes`, () => new Uint8Array(0)],
      [`${module}.bytearray`, encodedBytes],
    ]),
  ),
}

export const meanings = {
  calls: new Map(
    Object.entries({ ...tensorCalls, ...containerCalls, ...byteCalls, ...numpyCalls }),
  ) as ReadonlyMap<string, Meaning>,
  persistent: persistentValue,
  className: classNameOf,
}

function rebuiltFromType({ args }: PickleCall, interpreter: Interpreter): TorchValue {
  const [callable = null, , inner = null] = items(args)
  const call = { callable, args: inner, state: null, items: [], entries: [] }
  return interpreter.tree({ kind: 'call', ...call })
}

function first({ args }: PickleCall, interpreter: Interpreter): TorchValue {
  return interpreter.tree(items(args)[0] ?? null)
}

/** Items are put in after the call, or (protocols 0 and 1) given to it as pairs. */
function dictionary({ args, entries }: PickleCall, interpreter: Interpreter): TorchValue {
  const given = items(items(args)[0] ?? null).flatMap((pair) => {
    const [key, value] = items(pair)
    return key === undefined || value === undefined ? [] : [[key, value] as const]
  })
  return interpreter.dict([...given, ...entries])
}

/** Latin-1: a character up to 255 for each byte. */
function encodedBytes({ args }: PickleCall, interpreter: Interpreter): TorchValue {
  const content = interpreter.tree(items(args)[0] ?? null)
  if (content instanceof Uint8Array) return content
  return typeof content === 'string' ? interpreter.latin1(content) : new Uint8Array(0)
}

/**
 * The class of an object without a meaning. `copyreg._reconstructor` gets it as the first argument;
 * any other callable is named as far as it has a name.
 */
function classNameOf(callable: PickleValue, args: PickleValue, interpreter: Interpreter): string {
  const [inner] = items(args)
  if (isGlobal(inner)) return showGlobal(inner)
  // A class of the old format arrives as ('module', class, …) from outside.
  const value = interpreter.tree(callable)
  return typeof value === 'object' && value !== null && 'className' in value
    ? value.className
    : 'an object'
}

/**
 * ('storage', class, key, location, count[, view]) stands for numbers in the file,
 * ('module', class, source file, source) for a class (old format).
 */
function persistentValue({ id }: PicklePersistent, interpreter: Interpreter): TorchValue {
  const parts = items(id)
  const [what, type, key, , , view] = parts
  if (what === 'module' && isGlobal(type)) {
    return { kind: 'object', className: showGlobal(type), state: null, parts: [] }
  }
  if (
    what === 'storage' &&
    isGlobal(type) &&
    (typeof key === 'string' || typeof key === 'number')
  ) {
    const [, from] = items(view ?? null)
    return torchStorage(showGlobal(type), String(key), typeof from === 'number' ? from : 0)
  }
  return {
    kind: 'object',
    className: 'something outside of the pickle',
    state: interpreter.tree(id),
    parts: [],
  }
}

/** A view of a storage, checked as far as possible without the bytes. */
function rebuiltTensor({ args }: PickleCall, interpreter: Interpreter): TorchValue {
  const [rawStorage, rawOffset, rawShape, rawStrides, , , rawType] = items(args)
  const storage = interpreter.tree(rawStorage ?? null)
  const offset = interpreter.tree(rawOffset ?? null)
  if (!isStorage(storage)) {
    return { kind: 'object', className: 'a tensor without numbers', state: null, parts: [] }
  }
  const dtype = isGlobal(rawType) ? dtypeByName(rawType.name) : storage.dtype
  return checkedTensor({
    kind: 'tensor',
    dtype,
    shape: wholeNumbers(interpreter.tree(rawShape ?? null)),
    strides: wholeNumbers(interpreter.tree(rawStrides ?? null)),
    offset: wholeNumbers([offset])[0],
    storage,
  })
}

function checkedTensor(tensor: TorchTensor): TorchTensor {
  const { shape, strides } = tensor
  if (shape.length === strides.length && Number.isSafeInteger(sizeOf(shape))) return tensor
  throw new GruvError('bad-file', 'a tensor of the file contradicts itself', {
    expected: 'a shape of a size that can be, and a stride for each axis',
    got: `${shape.length} axes, ${strides.length} strides`,
  })
}

/** NumPy's limit is 32 axes, PyTorch's 64. */
const MOST_AXES = 64

function wholeNumbers(value: TorchValue): readonly number[] {
  // The list itself, not a copy: a pickle can use one list for many tensors.
  if (isCounts(value) && value.length <= MOST_AXES) return value
  throw new GruvError('bad-file', 'a tensor of the file contradicts itself', {
    expected: 'offset, shape and strides in whole numbers, none negative',
  })
}
