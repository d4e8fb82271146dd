/** Tensors as callers write them, fitted to what a program takes. */

import { GruvError } from '../errors.ts'
import type { Dim, Port } from '../model/types.ts'
import { type Named, sizeOf, type Tensor, type TensorLike, toTensor, unfit } from '../tensor.ts'

/** The inputs of one run, each with all the axes of its port in the graph's order. */
export interface RunInputs {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly batch: number
  /** 1 where no input runs over time. */
  readonly steps: number
  /** The number behind a symbol. */
  readonly extent: (dim: Dim) => number
  /** A value as its port shows it: in the port's order, without the axes that the input did not have. */
  readonly deliver: (port: Port, value: Tensor) => Tensor
  /** Learns what is behind the symbols of a shape; absent where all of them are known. */
  readonly bind?: (shape: readonly Dim[], extents: readonly number[], where: string) => void
}

/**
 * @param x one tensor for a model with one input, else tensors by name.
 * @throws GruvError `bad-shape` or `not-found`, naming the input.
 */
export type ReadInputs = (ports: readonly Port[], x: TensorLike | Named<TensorLike>) => RunInputs

/** Of a plain model, whose only input is [batch, time, features]; `readInputs` reads those of any. */
export const readSequence: ReadInputs = (ports, x) => {
  const [{ name, shape }] = ports
  const [given] = assign('input', ports, x)
  if (given === undefined) throw missing(name, [name])
  const tensor = toTensor(given[1], `input ${name}`)
  const features = shape[2] as number
  const extents = asSequence(tensor.shape, features)
  const full = [1, 1, 1, ...extents].slice(extents.length)
  if (extents.length > 3 || full[2] !== features || sizeOf(full) === 0)
    throw misfit(name, [shape, shape.slice(1), shape.slice(2)], tensor.shape, extents)
  const [batch, steps] = full
  const left: readonly Dim[] = ['batch', 'time'].slice(0, 3 - extents.length)
  return {
    tensors: new Map([[name, { ...tensor, shape: full }]]),
    batch,
    steps,
    extent: (dim) => (dim === 'batch' ? batch : dim === 'time' ? steps : Number(dim)),
    deliver: (port, value) => ({
      ...value,
      shape: value.shape.filter((_, axis) => !left.includes(port.shape[axis])),
    }),
  }
}

/** Numbers without their axes, as a plain array of samples is, where a sequence is wanted. */
export function asSequence(given: readonly number[], features: number): readonly number[] {
  const [first, second] = given
  if (given.length === 1 && first !== features && first % features === 0)
    return [first / features, features]
  // A row of samples where a column was meant.
  if (given.length === 2 && features === 1 && second !== 1 && first === 1) return [second, 1]
  return given
}

/** @param forms what would have fitted; the whole shape is the first. */
export function misfit(
  name: string,
  forms: readonly (readonly Dim[])[],
  given: readonly number[],
  extents: readonly number[],
): GruvError {
  const problem = `the input does not fit the model${sizeOf(given) === 0 ? ': it is empty' : ''}`
  return unfit(problem, `input ${name}`, forms, given, {
    ...(extents.at(-2) === forms[0].at(-1) && {
      fix: 'The axes look swapped: gruv takes one row for each timestep, one column for each feature.',
    }),
  })
}

export function missing(name: string, names: readonly string[]): GruvError {
  return new GruvError('not-found', `input ${name} is missing`, {
    expected: `tensors for ${names.join(', ')}`,
  })
}

/**
 * Initial states by name, each [size] or [rows, size].
 * @param rows how many there are of a state.
 * @throws GruvError `bad-shape` or `not-found`, naming the state.
 */
export function readStates<S extends { readonly name: string; readonly size: number }>(
  states: readonly S[],
  given: TensorLike | Named<TensorLike> | undefined,
  rows: (state: S) => number,
): ReadonlyMap<string, Tensor> {
  if (given === undefined) return new Map()
  if (isTensorLike(given) && states.length !== 1) {
    const names = states.map(({ name }) => `'${name}': …`)
    throw new GruvError(
      'bad-argument',
      `this model has ${states.length} states, each needs its name`,
      {
        where: 'initialState',
        expected: names.length === 0 ? 'none' : `{ ${names.join(', ')} }`,
        got: 'one tensor without a name',
      },
    )
  }
  return new Map(
    assign('state', states, given).map(([state, like]) => {
      const { name, size } = state
      const where = `initial state ${name}`
      const tensor = toTensor(like, where)
      const outer = tensor.shape.slice(0, -1)
      // PyTorch and ONNX write [layers, batch, units] even for a single layer.
      const [there = 1, ...more] = outer.length === 2 && outer[0] === 1 ? outer.slice(1) : outer
      const count = rows(state)
      if (tensor.shape.at(-1) !== size || more.length > 0 || (there !== 1 && there !== count))
        throw unfit('the initial state does not fit', where, [[size], [count, size]], tensor.shape)
      return [name, { ...tensor, shape: there === 1 ? [size] : [there, size] }]
    }),
  )
}

/** Tensors with what they are for; one without a name is for the first. */
export function assign<T extends { readonly name: string }>(
  what: string,
  items: readonly T[],
  x: TensorLike | Named<TensorLike>,
): readonly (readonly [T, TensorLike])[] {
  if (isTensorLike(x)) return [[items[0], x]]
  return Object.entries(x).map(([name, like]) => [named(what, name, items), like])
}

/** Whether this is one tensor rather than tensors by name. An input may be called `data`. */
export function isTensorLike(x: TensorLike | Named<TensorLike>): x is TensorLike {
  return (
    Array.isArray(x) ||
    ArrayBuffer.isView(x) ||
    typeof x !== 'object' ||
    x === null ||
    ('shape' in x && 'data' in x)
  )
}

/** The one of that name. @throws GruvError `not-found`. */
export function named<T extends { readonly name: string }>(
  what: string,
  name: string,
  items: readonly T[],
): T {
  const found = items.find((item) => item.name === name)
  if (found !== undefined) return found
  throw notFound(
    what,
    name,
    items.map((item) => item.name),
  )
}

/** An error that lists what exists. */
export function notFound(what: string, name: string, names: readonly string[]): GruvError {
  return new GruvError('not-found', `there is no ${what} '${name}'`, {
    expected:
      names.length === 0 ? `none: this model has no ${what}s` : `one of ${names.join(', ')}`,
  })
}
