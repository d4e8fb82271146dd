/** Tensors as callers write them, fitted to a program's ports. */

import { GruvError } from '../errors.ts'
import type { Port } from '../model/types.ts'
import { type Named, showShape, sizeOf, type Tensor, type TensorLike, toTensor } from '../tensor.ts'

/** The inputs of one run, each with all the axes of its port, and the axes that callers left out. */
export interface RunInputs {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly batch: number
  /** 1 where no input runs over time. */
  readonly steps: number
  /** Whether the caller wrote the batch axis; if not, outputs have none either. */
  readonly batched: boolean
  /** Whether the caller wrote the time axis; a lone vector is one step. */
  readonly timed: boolean
}

/**
 * @param x one tensor for a model with one input, else tensors by name.
 * @throws GruvError `bad-shape` or `not-found`, naming the input.
 */
export function readInputs(ports: readonly Port[], x: TensorLike | Named<TensorLike>): RunInputs {
  const given = byName(ports, x)
  const tensors = new Map<string, Tensor>()
  const agreed = new Map<string, { readonly value: number | boolean; readonly port: string }>()
  const agree = <T extends number | boolean>(what: string, value: T, port: string): void => {
    const before = agreed.get(what)
    if (before !== undefined && before.value !== value) {
      throw new GruvError('bad-shape', `the inputs do not agree on the ${what}`, {
        where: `input ${port}`,
        expected: `${before.value}, as input ${before.port} has`,
        got: `${value}`,
      })
    }
    agreed.set(what, { value, port })
  }
  for (const port of ports) {
    const tensor = fit(port, toTensor(given.get(port.name)!, `input ${port.name}`))
    const missing = port.shape.length - tensor.given
    agree('batch', tensor.full.shape[0], port.name)
    agree('batch axis', missing === 0, port.name)
    if (port.shape.includes('time')) {
      agree('timesteps', tensor.full.shape[1], port.name)
      agree('time axis', missing < 2, port.name)
    }
    tensors.set(port.name, tensor.full)
  }
  return {
    tensors,
    batch: Number(agreed.get('batch')?.value ?? 1),
    steps: Number(agreed.get('timesteps')?.value ?? 1),
    batched: Boolean(agreed.get('batch axis')?.value ?? false),
    timed: Boolean(agreed.get('time axis')?.value ?? true),
  }
}

function byName(
  ports: readonly Port[],
  x: TensorLike | Named<TensorLike>,
): ReadonlyMap<string, TensorLike> {
  const names = ports.map(({ name }) => name)
  if (isTensorLike(x)) {
    if (ports.length === 1) return new Map([[names[0], x]])
    throw new GruvError(
      'bad-argument',
      `this model has ${ports.length} inputs, each needs its name`,
      {
        expected: `{ ${names.join(': …, ')}: … }`,
        got: 'one tensor without a name',
      },
    )
  }
  const given = new Map(Object.entries(x))
  for (const name of given.keys()) {
    if (!names.includes(name)) throw notFound('input', name, names)
  }
  for (const name of names) {
    if (!given.has(name)) {
      throw new GruvError('not-found', `input ${name} is missing`, {
        expected: `tensors for ${names.join(', ')}`,
      })
    }
  }
  return given
}

/** Whether this is one tensor rather than tensors by name. An input may be called `data`. */
function isTensorLike(x: TensorLike | Named<TensorLike>): x is TensorLike {
  return (
    Array.isArray(x) ||
    ArrayBuffer.isView(x) ||
    typeof x !== 'object' ||
    x === null ||
    ('shape' in x && 'data' in x)
  )
}

/** Adds the axes that were left out: batch first, then time. */
function fit(port: Port, tensor: Tensor): { full: Tensor; given: number } {
  const { shape } = port
  const features = shape.at(-1) as number
  const overTime = shape.includes('time')
  let extents = tensor.shape
  if (overTime && extents.length === 1 && extents[0] !== features && extents[0] % features === 0) {
    // Flat numbers: a sequence without its axes, as a plain array of samples is.
    extents = [extents[0] / features, features]
  } else if (
    overTime &&
    extents.length === 2 &&
    features === 1 &&
    extents[1] !== 1 &&
    extents[0] === 1
  ) {
    // A row of samples where a column was meant.
    extents = [extents[1], 1]
  }
  const missing = shape.length - extents.length
  const full = [...new Array<number>(Math.max(missing, 0)).fill(1), ...extents]
  const fits = missing >= 0 && extents.length >= 1 && full.at(-1) === features && sizeOf(full) > 0
  if (!fits) {
    const forms = shape.map((_, i) => showShape(shape.slice(i)))
    throw new GruvError('bad-shape', 'the input does not fit the model', {
      where: `input ${port.name}`,
      expected: `${forms.slice(0, -1).join(' or ')}${sizeOf(tensor.shape) === 0 ? ', not empty' : ''}`,
      got: showShape(tensor.shape),
      ...(extents.at(-2) === features && {
        fix: 'The axes look swapped: gruv takes one row for each timestep, one column for each feature.',
      }),
    })
  }
  return { full: { ...tensor, shape: full }, given: extents.length }
}

/**
 * Initial states by name, each [size] or [batch, size].
 * @throws GruvError `bad-shape` or `not-found`, naming the state.
 */
export function readStates(
  states: readonly { readonly name: string; readonly size: number }[],
  given: TensorLike | Named<TensorLike> | undefined,
  batch: number,
): ReadonlyMap<string, Tensor> {
  const fitted = new Map<string, Tensor>()
  if (given === undefined) return fitted
  const names = states.map(({ name }) => name)
  const single = isTensorLike(given)
  if (single && states.length !== 1) {
    throw new GruvError(
      'bad-argument',
      `this model has ${states.length} states, each needs its name`,
      {
        where: 'initialState',
        expected: names.length === 0 ? 'none' : `{ '${names.join("': …, '")}': … }`,
        got: 'one tensor without a name',
      },
    )
  }
  for (const [name, like] of single ? [[names[0], given] as const] : Object.entries(given)) {
    const state = states.find((slot) => slot.name === name)
    if (state === undefined) throw notFound('state', name, names)
    const tensor = toTensor(like, `initial state ${name}`)
    // PyTorch and ONNX write [layers, batch, units] even for a single layer.
    const shape =
      tensor.shape.length === 3 && tensor.shape[0] === 1 ? tensor.shape.slice(1) : tensor.shape
    const oneForAll = shape.length === 1 || (shape.length === 2 && shape[0] === 1)
    if (shape.at(-1) !== state.size || shape.length > 2 || !(oneForAll || shape[0] === batch)) {
      throw new GruvError('bad-shape', 'the initial state does not fit', {
        where: `initial state ${name}`,
        expected: `[${state.size}] or [${batch}, ${state.size}]`,
        got: showShape(tensor.shape),
      })
    }
    fitted.set(name, { ...tensor, shape: oneForAll ? [state.size] : shape })
  }
  return fitted
}

/** An error that lists what exists, nearest name first. */
export function notFound(what: string, name: string, names: readonly string[]): GruvError {
  return new GruvError('not-found', `there is no ${what} '${name}'`, {
    expected:
      names.length === 0 ? `none: this model has no ${what}s` : `one of ${names.join(', ')}`,
  })
}
