/** Compares two tensors: how far apart they are, where, and from which timestep on. */

import { GruvError } from '../errors.ts'
import { showShape, sizeOf, type Tensor } from '../tensor.ts'
import type { Tolerance } from './tolerance.ts'

/** A place in an output. Axes that the output does not have are absent. */
export interface Place {
  readonly row?: number
  readonly timestep?: number
  readonly unit: number
}

export interface Difference {
  readonly at: Place
  readonly actual: number
  readonly expected: number
}

export interface Comparison {
  /** Every number within tolerance, NaN exactly where NaN was expected. */
  readonly pass: boolean
  readonly compared: number
  readonly outside: number
  /** Infinite where one side alone is NaN or infinite. */
  readonly maxAbsolute: number
  readonly maxRelative: number
  /** In units in the last place of the computing precision. */
  readonly maxUlps: number
  /** Where the largest absolute error is. */
  readonly worst: Difference
  /** The first timestep, and in it the first unit, out of tolerance. */
  readonly first: Difference | null
  /** The largest absolute error of each timestep; a single entry for outputs without time. */
  readonly overTime: Float64Array
  /** Whether the expected data has the last timestep only. */
  readonly lastStepOnly: boolean
}

/** Which axes a tensor has, by position. */
export interface Axes {
  readonly batched: boolean
  readonly overTime: boolean
}

/**
 * @param axes of `actual`. `expected` may lack a batch axis of one row, or have only the last step.
 * @throws GruvError `bad-shape` when the shapes do not match.
 */
export function compare(
  actual: Tensor,
  axes: Axes,
  expected: Tensor,
  tolerance: Tolerance,
  float32: boolean,
): Comparison {
  const full = withAllAxes(actual.shape, axes)
  const [rows, steps, units] = full
  const { first: from, lastStepOnly } = align(actual.shape, full, expected.shape)
  const expectedSteps = lastStepOnly ? 1 : steps
  const overTime = new Float64Array(expectedSteps)
  const [digits, least] = float32 ? [23, -126] : [52, -1022]
  let outside = 0
  let maxAbsolute = -1
  let maxRelative = 0
  let maxUlps = 0
  let worst: Difference | null = null
  let first: Difference | null = null

  // Time outermost, so that the first place out of tolerance is the earliest.
  for (let t = 0; t < expectedSteps; t++) {
    for (let row = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        const a = actual.data[(row * steps + from + t) * units + unit]
        const e = expected.data[(row * expectedSteps + t) * units + unit]
        const error = distance(a, e)
        const difference = (): Difference => ({
          at: place(axes, row, from + t, unit),
          actual: a,
          expected: e,
        })
        if (error > maxAbsolute) {
          maxAbsolute = error
          worst = difference()
        }
        if (error > 0) {
          maxRelative = Math.max(maxRelative, error / Math.abs(e))
          maxUlps = Math.max(maxUlps, error / ulp(e, digits, least))
        }
        if (error > overTime[t]) overTime[t] = error
        if (error > tolerance.at(e)) {
          outside++
          first ??= difference()
        }
      }
    }
  }
  return {
    pass: outside === 0,
    compared: rows * expectedSteps * units,
    outside,
    maxAbsolute,
    maxRelative,
    maxUlps,
    worst: worst!,
    first,
    overTime,
    lastStepOnly,
  }
}

/** |a − b|: 0 for equal numbers and for two NaN, infinite where one alone is NaN. */
export function distance(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0
  const error = Math.abs(a - b)
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}

/** The largest distance between two lists of numbers; infinite where their lengths differ. */
export function largestDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, distance(a[i], b[i]))
  return largest
}

function place({ batched, overTime }: Axes, row: number, timestep: number, unit: number): Place {
  return { ...(batched && { row }), ...(overTime && { timestep }), unit }
}

function withAllAxes(
  shape: readonly number[],
  { batched, overTime }: Axes,
): readonly [number, number, number] {
  const rest = [...shape]
  const rows = batched ? rest.shift()! : 1
  const steps = overTime ? rest.shift()! : 1
  return [rows, steps, sizeOf(rest)]
}

function align(
  shape: readonly number[],
  [rows, steps, units]: readonly [number, number, number],
  expected: readonly number[],
): { first: number; lastStepOnly: boolean } {
  if (sameExtents(expected, shape)) return { first: 0, lastStepOnly: false }
  if (sameExtents(expected, [rows, units])) return { first: steps - 1, lastStepOnly: true }
  const [otherSteps] = expected.slice(-2)
  throw new GruvError('bad-shape', 'the expected data does not have the shape of the output', {
    where: 'expected',
    expected: showShape(shape),
    got: showShape(expected),
    ...(expected.at(-1) === units && {
      fix:
        expected.length >= 2 && otherSteps !== steps
          ? `It has ${otherSteps} timesteps, the output ${steps}: cut the longer one.`
          : 'Do input and expected data belong together?',
    }),
  })
}

/** Whether two shapes are the same. A leading batch of one says nothing; inner axes of one do. */
export function sameExtents(a: readonly number[], b: readonly number[]): boolean {
  const [x, y] = [withoutLeadingOnes(a), withoutLeadingOnes(b)]
  return x.length === y.length && x.every((extent, i) => extent === y[i])
}

function withoutLeadingOnes(shape: readonly number[]): readonly number[] {
  let from = 0
  while (from < shape.length - 1 && shape[from] === 1) from++
  return shape.slice(from)
}

/** The spacing of numbers with so many binary digits around x; of the least normal one below it. */
function ulp(x: number, digits: number, leastExponent: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), leastExponent)
  return 2 ** (exponent - digits)
}
