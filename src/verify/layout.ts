/** Lays expected numbers over an output: which of its axes are rows and timesteps. */

import { GruvError } from '../errors.ts'
import { permuteAxes } from '../model/axes.ts'
import type { Dim, Port } from '../model/types.ts'
import { showShape, sizeOf, type Tensor } from '../tensor.ts'

/** The axes of a tensor that count rows and timesteps; −1 where it has none. */
export interface Axes {
  readonly row: number
  readonly time: number
}

/** Expected numbers in the shape of an output, and whether they are those of its last timestep. */
export interface Aligned {
  readonly tensor: Tensor
  readonly lastStepOnly: boolean
}

/** The axes of a tensor at a port. Callers leave out the batch axis first, then time. */
export function axesOf(port: Pick<Port, 'shape'> | undefined, { shape }: Tensor): Axes {
  const dims: Dim[] = [...(port?.shape ?? ['batch', 0])]
  for (const axis of ['batch', 'time']) {
    if (dims.length > shape.length && dims.includes(axis)) dims.splice(dims.indexOf(axis), 1)
  }
  return { row: dims.indexOf('batch'), time: dims.indexOf('time') }
}

/**
 * A tensor as [rows, timesteps, units], with one row or timestep where it has no such axis: all axes
 * but those two become units.
 */
export function asSequences(tensor: Tensor, { row, time }: Axes): Tensor {
  const { shape } = tensor
  const order = orderOf(shape, { row, time })
  const sorted = isSorted(order) ? tensor : permuteAxes(tensor, order)
  const rows = row < 0 ? 1 : shape[row]
  const steps = time < 0 ? 1 : shape[time]
  const units = sizeOf(shape.filter((_, axis) => axis !== row && axis !== time))
  return { ...sorted, shape: [rows, steps, units] }
}

/**
 * Expected numbers for an output of some shape: all of it, or its last timestep. Extents of one say
 * nothing: [2] and [2, 1] hold the same numbers.
 * @returns null where they do not fit.
 */
export function align(expected: Tensor, shape: readonly number[], axes: Axes): Aligned | null {
  if (sameExtents(expected.shape, shape))
    return { tensor: { ...expected, shape }, lastStepOnly: false }
  if (axes.time < 0) return null
  const last = shape.with(axes.time, 1)
  if (!sameExtents(expected.shape, last)) return null
  return { tensor: { ...expected, shape: last }, lastStepOnly: true }
}

/** Whether two shapes are the same, apart from extents of one. */
function sameExtents(a: readonly number[], b: readonly number[]): boolean {
  const [x, y] = [a, b].map((shape) => shape.filter((extent) => extent !== 1))
  return x.length === y.length && x.every((extent, i) => extent === y[i])
}

/** The error for expected numbers that do not fit. */
export function misfit(
  where: string,
  expected: readonly number[],
  shape: readonly number[],
  { time }: Axes,
): GruvError {
  const steps = time < 0 ? undefined : expected[time + expected.length - shape.length]
  const cut =
    steps !== undefined && steps !== shape[time] && sameExtents(expected, shape.with(time, steps))
  return new GruvError('bad-shape', 'the expected data does not have the shape of the output', {
    where,
    expected: showShape(shape),
    got: showShape(expected),
    fix: cut
      ? `It has ${steps} timesteps, the output ${shape[time]}: cut the longer one.`
      : 'Do input and expected data belong together?',
  })
}

/** The inverse of `asSequences`: [rows, timesteps, units] as a tensor of a shape with these axes. */
export function fromSequences(
  { data }: Tensor,
  shape: readonly number[],
  { row, time }: Axes,
): Tensor {
  const order = orderOf(shape, { row, time })
  const sorted = { shape: order.map((axis) => shape[axis]), data }
  return isSorted(order)
    ? { shape, data }
    : permuteAxes(
        sorted,
        order.map((_, axis) => order.indexOf(axis)),
      )
}

/** Rows first, then timesteps, then the rest in its own order. */
function orderOf(shape: readonly number[], { row, time }: Axes): readonly number[] {
  const first = [row, time].filter((axis) => axis >= 0)
  return [...first, ...Array.from(shape.keys()).filter((axis) => !first.includes(axis))]
}

const isSorted = (order: readonly number[]): boolean => order.every((axis, i) => axis === i)
