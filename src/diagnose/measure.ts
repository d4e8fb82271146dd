/** What all the data says to one candidate: its errors, and whether they are within tolerance. */

import type { Model } from '../model/types.ts'
import { compileAtOnce } from '../runtime/at-once.ts'
import type { Named, Tensor } from '../tensor.ts'
import { deriveTolerance } from '../verify/tolerance.ts'
import { type Candidate, candidateModel } from './candidate.ts'
import { carry, type Data, layOut, type Target } from './data.ts'
import { type Quirk, runChanges } from './quirks.ts'
import { carryInputs } from './runs.ts'

/** Everything about the data but what is expected: that depends on a model's outputs. */
export type Sides = Omit<Data, 'targets'>

/** What the whole data says to a candidate. */
export interface Measured {
  readonly candidate: Candidate
  readonly model: Model
  readonly maxError: number
  /** The largest share of its tolerance that an error takes; up to 1 it fits. */
  readonly excess: number
  readonly tolerance: number
  /** Actual numbers by target, as the model gave them, and the targets as it sees them. */
  readonly actual: Named<Tensor>
  readonly data: Data
}

/** Within twice the rounding bound: the other side erred too. */
const FITTING = 2

/** The data behind the quirks' changes of a run, with targets that fit the model's outputs. */
export function dataFor(
  model: Model,
  quirks: readonly Quirk[],
  expected: Named<Tensor>,
  sides: Sides,
): Data | null {
  const targets = layOut(model, expected, sides.extents)
  if (targets === null) return null
  let data: Data | null = { ...sides, targets }
  for (const change of runChanges(quirks)) {
    data = carry(data, change, carryInputs)
    if (data === null) return null
  }
  return data
}

/** Runs a candidate on all the data, in both precisions: the difference is what rounding does to it. */
export function measure(
  base: Model,
  candidate: Candidate,
  expected: Named<Tensor>,
  sides: Sides,
): Measured | null {
  const model = candidateModel(base, candidate)
  if (model === null) return null
  const data = dataFor(model, candidate.quirks, expected, sides)
  if (data === null) return null
  const options = {
    outputs: data.targets.map(({ name }) => name),
    ...(data.initial.size > 0 && { initialState: Object.fromEntries(data.initial) }),
  }
  const [actual, single] = (['f64', 'f32'] as const).map((precision) =>
    compileAtOnce(model, { precision }).predict(data.inputs, options),
  )
  let maxError = 0
  let excess = 0
  let largest = 0
  for (const target of data.targets) {
    const tolerance = deriveTolerance({
      expected: target.tensor,
      precision: 'f64',
      float32Error: difference(actual[target.name], single[target.name]),
    })
    largest = Math.max(largest, FITTING * tolerance.largest)
    eachError(target, actual[target.name], (error, e) => {
      maxError = Math.max(maxError, error)
      excess = Math.max(excess, error === 0 ? 0 : error / (FITTING * tolerance.at(e)))
    })
  }
  return { candidate, model, maxError, excess, tolerance: largest, actual, data }
}

/** Every expected number beside the actual one: error, expected, actual, and its place. */
export function eachError(
  { tensor, width, overTime, places }: Target,
  actual: Tensor,
  visit: (error: number, expected: number, actual: number, at: number, unit: number) => void,
): void {
  const steps = overTime ? actual.shape[1] : 1
  for (let i = 0; i < places.length / 2; i++) {
    const from = (places[2 * i] * steps + (overTime ? places[2 * i + 1] : 0)) * width
    for (let u = 0; u < width; u++) {
      const a = actual.data[from + u]
      const e = tensor.data[i * width + u]
      const equal = a === e || (Number.isNaN(a) && Number.isNaN(e))
      const error = equal ? 0 : Math.abs(a - e)
      visit(Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, e, a, i, u)
    }
  }
}

function difference(a: Tensor, b: Tensor): number {
  let largest = 0
  for (let i = 0; i < a.data.length; i++) {
    const each = Math.abs(a.data[i] - b.data[i])
    if (each > largest && each !== Number.POSITIVE_INFINITY) largest = each
  }
  return largest
}
