/** Tensors as callers write them, fitted to a program's ports. */

import { GruvError } from '../errors.ts'
import { permuteAxes } from '../model/axes.ts'
import type { Dim, Port } from '../model/types.ts'
import { type Named, showShape, sizeOf, type Tensor, type TensorLike, toTensor } from '../tensor.ts'

/** The inputs of one run, each with all the axes of its port in the graph's order. */
export interface RunInputs {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly batch: number
  /** 1 where no input runs over time. */
  readonly steps: number
  /** Axes that callers left out: outputs have none of them either. A lone vector is one step. */
  readonly missing: ReadonlySet<'batch' | 'time'>
  /** The number behind a symbol. @throws GruvError `bad-model` when nothing has said it yet. */
  readonly extent: (dim: Dim) => number
  /** Learns what is behind the symbols of a shape. @throws GruvError `bad-shape` on a contradiction. */
  readonly bind: (shape: readonly Dim[], extents: readonly number[], where: string) => void
}

/**
 * @param x one tensor for a model with one input, else tensors by name.
 * @throws GruvError `bad-shape` or `not-found`, naming the input.
 */
export function readInputs(ports: readonly Port[], x: TensorLike | Named<TensorLike>): RunInputs {
  const given = byName(ports, x)
  const tensors = new Map<string, Tensor>()
  const known = new Map<string, { readonly extent: number; readonly where: string }>()
  const bind: RunInputs['bind'] = (shape, extents, where) => {
    shape.forEach((dim, axis) => {
      if (typeof dim === 'number') return
      const before = known.get(dim)
      if (before === undefined) known.set(dim, { extent: extents[axis], where })
      else if (before.extent !== extents[axis]) {
        throw new GruvError('bad-shape', `the inputs do not agree on the ${words[dim] ?? dim}`, {
          where,
          expected: `${before.extent}, as ${before.where} has`,
          got: `${extents[axis]}`,
        })
      }
    })
  }
  const fitted = ports.map((port) => {
    const { full, left } = fit(port, toTensor(given.get(port.name)!, `input ${port.name}`))
    bind(port.shape, full.shape, `input ${port.name}`)
    tensors.set(port.name, port.axes === undefined ? full : permuteAxes(full, port.axes))
    return { port, left }
  })
  const missing = new Set<'batch' | 'time'>()
  for (const axis of ['batch', 'time'] as const) {
    const those = fitted.filter(({ port }) => port.shape.includes(axis))
    const without = those.filter(({ left }) => left.includes(axis))
    if (without.length === 0) continue
    missing.add(axis)
    const other = those.find(({ left }) => !left.includes(axis))
    if (other === undefined) continue
    throw new GruvError('bad-shape', `the inputs do not agree on the ${axis} axis`, {
      where: `input ${other.port.name}`,
      expected: `none, as for input ${without[0].port.name}`,
      got: showShape(other.port.shape),
    })
  }
  const clock = ports.find(({ shape }) => shape.includes('time')) ?? ports[0]
  const [batch = 1, steps = 1] = tensors.get(clock?.name)?.shape ?? []
  const overTime = (clock?.shape.length ?? 0) > 2 || (clock?.shape.includes('time') ?? false)
  return {
    tensors,
    batch,
    steps: overTime ? steps : 1,
    missing,
    bind,
    extent(dim) {
      if (typeof dim === 'number') return dim
      const found = known.get(dim)
      if (found !== undefined) return found.extent
      throw new GruvError('bad-model', `nothing says how large '${dim}' is`, {
        expected: `one of ${[...known.keys()].join(', ')}`,
      })
    },
  }
}

const words: Readonly<Record<string, string>> = { time: 'timesteps' }

/** A value as its port shows it: in the port's order, without the axes that the input did not have. */
export function deliver(
  { shape, axes }: Port,
  tensor: Tensor,
  { missing }: Pick<RunInputs, 'missing'>,
): Tensor {
  const shown =
    axes === undefined
      ? tensor
      : permuteAxes(
          tensor,
          axes.map((_, axis) => axes.indexOf(axis)),
        )
  if (missing.size === 0) return shown
  const kept = shown.shape.filter((_, axis) => !missing.has(shape[axis] as 'batch' | 'time'))
  return { ...shown, shape: kept }
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
export function isTensorLike(x: TensorLike | Named<TensorLike>): x is TensorLike {
  return (
    Array.isArray(x) ||
    ArrayBuffer.isView(x) ||
    typeof x !== 'object' ||
    x === null ||
    ('shape' in x && 'data' in x)
  )
}

/** Adds the axes that were left out: batch first, then time, then those of a single element. */
function fit(port: Port, tensor: Tensor): { readonly full: Tensor; readonly left: readonly Dim[] } {
  const { shape } = port
  const extents = asSequence(port, tensor.shape)
  const omissible = [
    ...(['batch', 'time'] as const).map((symbol) => shape.indexOf(symbol)),
    ...shape.flatMap((extent, axis) => (extent === 1 ? [axis] : [])),
  ].filter((axis) => axis >= 0)
  const absent = shape.length - extents.length
  const without = absent > 0 ? omissible.slice(0, absent) : []
  const given = [...extents]
  const full = shape.map((_, axis) => (without.includes(axis) ? 1 : (given.shift() ?? 0)))
  const fits =
    absent >= 0 &&
    absent === without.length &&
    full.every((extent, axis) => typeof shape[axis] === 'string' || extent === shape[axis]) &&
    sizeOf(full) > 0
  if (!fits) {
    const forms = shape.map((_, count) =>
      showShape(shape.filter((_, axis) => !omissible.slice(0, count).includes(axis))),
    )
    const features = shape.at(-1)
    throw new GruvError('bad-shape', 'the input does not fit the model', {
      where: `input ${port.name}`,
      expected: `${[...new Set(forms)].join(' or ')}${sizeOf(tensor.shape) === 0 ? ', not empty' : ''}`,
      got: showShape(tensor.shape),
      ...(extents.at(-2) === features && {
        fix: 'The axes look swapped: gruv takes one row for each timestep, one column for each feature.',
      }),
    })
  }
  return { full: { ...tensor, shape: full }, left: without.map((axis) => shape[axis]) }
}

/** Numbers without their axes, as a plain array of samples is, where a sequence is wanted. */
function asSequence({ shape }: Port, given: readonly number[]): readonly number[] {
  const features = shape.at(-1)
  if (shape.length !== 3 || shape[1] !== 'time' || typeof features !== 'number') return given
  if (given.length === 1 && given[0] !== features && given[0] % features === 0)
    return [given[0] / features, features]
  // A row of samples where a column was meant.
  if (given.length === 2 && features === 1 && given[1] !== 1 && given[0] === 1) return [given[1], 1]
  return given
}

/**
 * Initial states by name, each [size] or [rows, size].
 * @param rows how many there are of each, by state name.
 * @throws GruvError `bad-shape` or `not-found`, naming the state.
 */
export function readStates(
  states: readonly { readonly name: string; readonly size: number }[],
  given: TensorLike | Named<TensorLike> | undefined,
  rows: (state: string) => number,
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
    const count = rows(name)
    if (shape.at(-1) !== state.size || shape.length > 2 || !(oneForAll || shape[0] === count)) {
      throw new GruvError('bad-shape', 'the initial state does not fit', {
        where: `initial state ${name}`,
        expected: `[${state.size}] or [${count}, ${state.size}]`,
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
