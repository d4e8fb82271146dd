/** Compares two tensors: how far apart they are, where, and from which timestep on. */

import { distance, type Tensor } from '../tensor.ts'
import { type Axes, align, asSequences, misfit } from './layout.ts'
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
  /**
   * Every number within tolerance, NaN exactly where NaN was expected, and at least one of them
   * finite: NaN beside NaN proves nothing.
   */
  readonly pass: boolean
  readonly compared: number
  /** How many of them are finite on at least one side; without any there is nothing to compare. */
  readonly finite: number
  readonly outside: number
  /** Infinite where one side alone is NaN or infinite; NaN where nothing finite was compared. */
  readonly maxAbsolute: number
  readonly maxRelative: number
  /** In units in the last place of the computing precision. */
  readonly maxUlps: number
  /** Where the largest absolute error is; null where nothing finite was compared. */
  readonly worst: Difference | null
  /** The first timestep, and in it the first unit, out of tolerance. */
  readonly first: Difference | null
  /** The largest absolute error of each timestep; a single entry for outputs without time. */
  readonly overTime: Float64Array
  /** Whether the expected data has the last timestep only. */
  readonly lastStepOnly: boolean
}

/**
 * @param axes of `actual`. `expected` may have other extents of one, or only the last timestep.
 * @throws GruvError `bad-shape` when the shapes do not match.
 */
export function compare(
  actual: Tensor,
  axes: Axes,
  expected: Tensor,
  tolerance: Tolerance,
  float32: boolean,
): Comparison {
  const aligned = align(expected, actual.shape, axes)
  if (aligned === null) throw misfit('expected', expected.shape, actual.shape, axes)
  const { data: numbers, shape } = asSequences(actual, axes)
  const [rows, steps, units] = shape
  const wanted = asSequences(aligned.tensor, axes)
  const expectedSteps = wanted.shape[1]
  const from = steps - expectedSteps
  const overTime = new Float64Array(expectedSteps)
  const [digits, least] = float32 ? [23, -126] : [52, -1022]
  let finite = 0
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
        const a = numbers[(row * steps + from + t) * units + unit]
        const e = wanted.data[(row * expectedSteps + t) * units + unit]
        if (!Number.isFinite(a) && !Number.isFinite(e) && distance(a, e) === 0) continue
        finite++
        const error = distance(a, e)
        const difference = (): Difference => ({
          at: {
            ...(axes.row >= 0 && { row }),
            ...(axes.time >= 0 && { timestep: from + t }),
            unit,
          },
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
  const ofNothing = finite === 0
  return {
    pass: outside === 0 && !ofNothing,
    compared: rows * expectedSteps * units,
    finite,
    outside,
    maxAbsolute: ofNothing ? Number.NaN : maxAbsolute,
    maxRelative: ofNothing ? Number.NaN : maxRelative,
    maxUlps: ofNothing ? Number.NaN : maxUlps,
    worst,
    first,
    overTime: ofNothing ? overTime.fill(Number.NaN) : overTime,
    lastStepOnly: aligned.lastStepOnly,
  }
}

/** The spacing of numbers with so many binary digits around x; of the least normal one below it. */
function ulp(x: number, digits: number, leastExponent: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), leastExponent)
  return 2 ** (exponent - digits)
}
