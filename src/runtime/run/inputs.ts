/** Reads the inputs of a run, as callers write them, and fits them to what a program takes. */

import { GruvError } from '../../errors.ts'
import { permuteAxes } from '../../model/axes.ts'
import type { Dim, Port } from '../../model/types.ts'
import {
  type Named,
  showShape,
  sizeOf,
  type Tensor,
  type TensorLike,
  toTensor,
  unfit,
} from '../../tensor.ts'
import { assign, isTensorLike } from './named.ts'

/** The inputs of one run, each with all the axes of its port in the graph's order. */
export interface RunInputs {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly batch: number
  /** 1 where no input runs over time. */
  readonly steps: number
  /** Axes that callers left out: outputs have none of them either. A lone vector is one step. */
  readonly missing: ReadonlySet<'batch' | 'time'>
  /** The number behind a symbol. @throws GruvError `bad-model` when no input has said it yet. */
  readonly extent: (dim: Dim) => number
  /** Learns what is behind the symbols of a shape. @throws GruvError `bad-shape` on a contradiction. */
  readonly bind: (shape: readonly Dim[], extents: readonly number[], where: string) => void
  /** A value as its port shows it: in the port's order, without the axes that the input did not have. */
  readonly deliver: (port: Port, value: Tensor) => Tensor
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
        throw new GruvError(
          'bad-shape',
          `the inputs do not agree on the ${dim === 'time' ? 'timesteps' : dim}`,
          {
            where,
            expected: `${before.extent}, as ${before.where} has`,
            got: `${extents[axis]}`,
          },
        )
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
    const without = fitted.find(({ left }) => left.includes(axis))
    if (without === undefined) continue
    missing.add(axis)
    const other = fitted.find(({ port, left }) => port.shape.includes(axis) && !left.includes(axis))
    if (other === undefined) continue
    throw new GruvError('bad-shape', `the inputs do not agree on the ${axis} axis`, {
      where: `input ${other.port.name}`,
      expected: `none, as for input ${without.port.name}`,
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
    deliver(port, value) {
      const shown = inOrderOf(port, value)
      const kept = shown.shape.filter(
        (_, axis) => !missing.has(port.shape[axis] as 'batch' | 'time'),
      )
      return { ...shown, shape: kept }
    },
  }
}

/** One row of zeros for each input, over so many steps. */
export function zeros(ports: readonly Port[], steps: number): Named<Tensor> {
  return Object.fromEntries(
    ports.map(({ name, shape: dims }) => {
      const shape = dims.map((dim) => (typeof dim === 'number' ? dim : dim === 'batch' ? 1 : steps))
      return [name, { shape, data: new Float32Array(sizeOf(shape)) }]
    }),
  )
}

/** A value of the graph with its axes as its port shows them. */
export function inOrderOf({ axes, shape }: Port, tensor: Tensor): Tensor {
  if (axes === undefined) return tensor
  return permuteAxes(
    tensor,
    shape.map((_, axis) => axes.indexOf(axis)),
  )
}

function byName(
  ports: readonly Port[],
  x: TensorLike | Named<TensorLike>,
): ReadonlyMap<string, TensorLike> {
  const names = ports.map(({ name }) => name)
  if (isTensorLike(x) && ports.length !== 1) {
    throw new GruvError(
      'bad-argument',
      `this model has ${ports.length} inputs, each needs its name`,
      {
        expected: `{ ${names.join(': …, ')}: … }`,
        got: 'one tensor without a name',
      },
    )
  }
  const given = new Map(assign('input', ports, x).map(([{ name }, like]) => [name, like]))
  for (const name of names) if (!given.has(name)) throw missingInput(name, names)
  return given
}

/** Adds the axes that were left out: batch first, then time, then those of a single element. */
function fit(port: Port, tensor: Tensor): { readonly full: Tensor; readonly left: readonly Dim[] } {
  const { shape } = port
  const features = shape.at(-1)
  const extents =
    shape.length === 3 && shape[1] === 'time' && typeof features === 'number'
      ? asSequence(tensor.shape, features)
      : tensor.shape
  const absent = shape.length - extents.length
  const without = absent > 0 ? omissible(shape).slice(0, absent) : []
  const given = [...extents]
  const full = shape.map((_, axis) => (without.includes(axis) ? 1 : (given.shift() ?? 0)))
  const fits =
    absent === without.length &&
    full.every((extent, axis) => typeof shape[axis] === 'string' || extent === shape[axis]) &&
    sizeOf(full) > 0
  if (!fits) throw misfit(port.name, formsOf(shape), tensor.shape, extents)
  return { full: { ...tensor, shape: full }, left: without.map((axis) => shape[axis]) }
}

/** The axes that may be left out, in this order. */
function omissible(shape: readonly Dim[]): readonly number[] {
  const single = shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []))
  return [shape.indexOf('batch'), shape.indexOf('time'), ...single].filter((axis) => axis >= 0)
}

/** The whole shape, and what is left of it without one axis after the other. */
function formsOf(shape: readonly Dim[]): readonly (readonly Dim[])[] {
  const axes = omissible(shape)
  const forms = shape.map((_, count) =>
    shape.filter((_, axis) => !axes.slice(0, count).includes(axis)),
  )
  return forms.slice(0, axes.length + 1)
}

/** Numbers without their axes, as a plain array of samples is, where a sequence is wanted. */
function asSequence(given: readonly number[], features: number): readonly number[] {
  const [first, second] = given
  if (given.length === 1 && first !== features && first % features === 0)
    return [first / features, features]
  // A row of samples where a column was meant.
  if (given.length === 2 && features === 1 && second !== 1 && first === 1) return [second, 1]
  return given
}

/** @param forms what would have fitted; the whole shape is the first. */
function misfit(
  name: string,
  forms: readonly (readonly Dim[])[],
  given: readonly number[],
  extents: readonly number[],
): GruvError {
  const problem = `the input does not fit the model${sizeOf(given) === 0 ? ': it is empty' : ''}`
  return unfit(problem, `input ${name}`, forms, given, {
    ...(extents.at(-2) === forms[0].at(-1) && {
      fix: 'The axes look swapped: a row is a timestep.',
    }),
  })
}

function missingInput(name: string, names: readonly string[]): GruvError {
  return new GruvError('not-found', `input ${name} is missing`, {
    expected: `tensors for ${names.join(', ')}`,
  })
}
