/** Reads hints from the pattern of errors when nothing fits. */

import type { Place } from '../verify/index.ts'
import { deriveTolerance, hasApproximated } from '../verify/tolerance.ts'
import type { Target } from './data.ts'
import { gateShare } from './gate-share.ts'
import { eachError, type Measured } from './measure.ts'

export interface Explanation {
  readonly maxError: number
  /** Where the best candidate leaves the data. */
  readonly leavesAt: (Place & { readonly actual: number; readonly expected: number }) | null
  /** Sentences, the most informative first. */
  readonly hints: readonly string[]
}

interface Pattern {
  /** Steps of the sequence, and those of them that have expected data. */
  readonly steps: number
  readonly compared: number
  readonly units: number
  /** The largest error of each step, and of each unit. */
  readonly byStep: Float64Array
  readonly byUnit: Float64Array
  /** Units with an error outside the tolerance. */
  readonly wrongUnits: readonly number[]
  readonly firstCompared: number
  readonly firstWrong: number
  /** actual − expected by unit: mean and standard deviation. */
  readonly mean: Float64Array
  readonly spread: Float64Array
  readonly tolerance: number
  readonly target: Target
}

type Hint = (pattern: Pattern, best: Measured) => string | null

/** In the order in which they are reported. */
const hintTable: readonly Hint[] = [
  ({ byStep, firstWrong, firstCompared }) =>
    firstWrong > firstCompared
      ? `the first ${firstWrong === 1 ? 'step is' : `${firstWrong} steps are`} right and step ${firstWrong} is the first that is not (${show(byStep[firstWrong])}): ${firstWrong === 1 ? 'look at the recurrent part, which a first step from zeros does not show' : 'look at what happens there, such as a state that is set back or carried on, a mask, other data'}`
      : null,
  ({ wrongUnits, units }) =>
    wrongUnits.length > 0 && wrongUnits.length < units
      ? `only ${wrongUnits.length} of ${units} units are wrong (${wrongUnits.slice(0, 6).join(', ')}${wrongUnits.length > 6 ? ', …' : ''}): look at their own weights`
      : null,
  ({ mean, spread, tolerance, compared }) => {
    if (compared < 3) return null
    const offset = Math.max(...mean.map(Math.abs))
    const varies = Math.max(...spread)
    return offset > tolerance && varies < 0.05 * offset
      ? `every step is off by the same amount in each unit (up to ${show(offset)}): a constant offset looks like a bias`
      : null
  },
  (pattern, best) => proportional(pattern, best),
  (pattern, best) => shifted(pattern, best),
  ({ target, tolerance }, best) => gateShare(target, tolerance, best),
  ({ firstWrong, steps, byStep, tolerance }) =>
    steps > 8 && firstWrong >= 0 && growing(byStep) && byStep[firstWrong] < 30 * tolerance
      ? 'the error grows slowly from rounding size: the same network in another precision, or weights with fewer digits, does that'
      : null,
]

export function explain(best: Measured): Explanation {
  const target = best.data.targets[0]
  const { pattern, leavesAt } = patternOf(target, best)
  const hints = hintTable.flatMap((hint) => hint(pattern, best) ?? [])
  return {
    maxError: best.maxError,
    leavesAt,
    hints:
      hints.length > 0
        ? hints
        : [
            `${pattern.firstCompared === 0 ? 'the very first step is' : 'the numbers are'} wrong in all units: do model and data belong together, is the input scaled as in training, does the sequence start from zeros?`,
          ],
  }
}

function patternOf(
  target: Target,
  best: Measured,
): { pattern: Pattern; leavesAt: Explanation['leavesAt'] } {
  const { width, places, tensor, overTime } = target
  const actual = best.actual[target.name]
  const bound = deriveTolerance({
    expected: tensor,
    precision: 'f64',
    float32Error: 0,
    approximated: hasApproximated(best.model),
  })
  const steps = overTime ? 1 + largestOf(everySecond(places)) : 1
  const byStep = new Float64Array(steps)
  const byUnit = new Float64Array(width)
  const sum = new Float64Array(width)
  const squares = new Float64Array(width)
  const wrong = new Set<number>()
  let found = null as {
    at: number
    unit: number
    t: number
    actual: number
    expected: number
  } | null
  eachError(target, actual, (error, expected, a, at, unit) => {
    const t = overTime ? places[2 * at + 1] : 0
    byStep[t] = Math.max(byStep[t], error)
    byUnit[unit] = Math.max(byUnit[unit], error)
    sum[unit] += a - expected
    squares[unit] += (a - expected) ** 2
    if (error <= 2 * bound.at(expected)) return
    wrong.add(unit)
    if (found === null || t < found.t) found = { at, unit, t, actual: a, expected }
  })
  const count = places.length / 2
  const mean = sum.map((total) => total / count)
  const rows = new Set(Array.from(places).filter((_, i) => i % 2 === 0)).size
  return {
    pattern: {
      steps,
      compared: overTime ? new Set(everySecond(places)).size : 1,
      units: width,
      byStep,
      byUnit,
      wrongUnits: [...wrong].sort((a, b) => a - b),
      firstCompared: overTime ? everySecond(places).reduce((a, b) => Math.min(a, b)) : 0,
      firstWrong: found === null ? -1 : found.t,
      mean,
      spread: squares.map((total, u) => Math.sqrt(Math.max(0, total / count - mean[u] ** 2))),
      tolerance: 2 * bound.largest,
      target,
    },
    leavesAt: found && {
      ...(rows > 1 && { row: places[2 * found.at] }),
      ...(overTime && { timestep: found.t }),
      unit: found.unit,
      actual: found.actual,
      expected: found.expected,
    },
  }
}

/** Whether all numbers differ by one factor. */
function proportional({ target, tolerance }: Pattern, best: Measured): string | null {
  let ae = 0
  let aa = 0
  let largest = 0
  eachError(target, best.actual[target.name], (error, e, a) => {
    ae += a * e
    aa += a * a
    largest = Math.max(largest, error)
  })
  const factor = ae / aa
  let rest = 0
  eachError(target, best.actual[target.name], (_, e, a) => {
    rest = Math.max(rest, Math.abs(factor * a - e))
  })
  return largest > 10 * tolerance && rest < 0.01 * largest
    ? `the expected numbers are ${factor.toPrecision(4)} times the output: were they, or the input, rescaled?`
    : null
}

/** Whether the numbers are right, but a step early or late. */
function shifted({ target, tolerance, compared }: Pattern, best: Measured): string | null {
  const { width, places, tensor, overTime } = target
  if (!overTime || compared < 4) return null
  const { data, shape } = best.actual[target.name]
  for (const by of [1, -1]) {
    let largest = 0
    for (let i = 0; i < places.length / 2; i++) {
      const [row, t] = [places[2 * i], places[2 * i + 1] - by]
      if (t < 0 || t >= shape[1]) continue
      const from = (row * shape[1] + t) * width
      for (let u = 0; u < width; u++)
        largest = Math.max(largest, Math.abs(data[from + u] - tensor.data[i * width + u]))
    }
    if (largest <= 100 * tolerance)
      return `the expected numbers are the output one step ${by > 0 ? 'later' : 'earlier'}`
  }
  return null
}

/** Whether errors mostly get larger with time. */
function growing(byStep: Float64Array): boolean {
  const third = Math.floor(byStep.length / 3)
  const [early, late] = [byStep.subarray(0, third), byStep.subarray(-third)].map(largestOf)
  return late > 10 * Math.max(early, 1e-300)
}

/** Of numbers from 0. A whole sequence as arguments of Math.max would overflow the stack. */
function largestOf(numbers: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, numbers[i])
  return most
}

function everySecond(places: Int32Array): readonly number[] {
  return Array.from(places).filter((_, i) => i % 2 === 1)
}

function show(value: number): string {
  return value.toExponential(1)
}
