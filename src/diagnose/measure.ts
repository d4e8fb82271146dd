/** Runs a candidate on all the data and measures its errors against the tolerance. */

import type { Model } from '../model/types.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import type { Named, Tensor } from '../tensor.ts'
import { distance } from '../verify/compare.ts'
import { deriveTolerance, roundingError } from '../verify/tolerance.ts'
import { type Candidate, candidateModel } from './candidate.ts'
import { type Data, dataUnder, layOut, type Target } from './data.ts'
import { type Quirk, runChanges } from './quirks.ts'

/** The data without the expected numbers, which depend on a model's outputs. */
export type InputData = Omit<Data, 'targets'>

/** The errors of a candidate on all the data. */
export interface Measured {
  readonly candidate: Candidate
  readonly model: Model
  readonly maxError: number
  /** The largest ratio of an error to its tolerance; up to 1 the candidate fits. */
  readonly excess: number
  readonly tolerance: number
  /** The numbers that the model gave, by output; and the data as the model sees it. */
  readonly actual: Named<Tensor>
  readonly data: Data
}

/** Within twice the rounding bound: the expected numbers have errors too. */
const FITTING = 2

/** The data under the quirks of a run, with targets that fit the model's outputs. */
export function dataFor(
  model: Model,
  quirks: readonly Quirk[],
  expected: Named<Tensor>,
  inputData: InputData,
): Data | null {
  const targets = layOut(model, expected, inputData.extents)
  if (targets === null) return null
  let data: Data | null = { ...inputData, targets }
  for (const change of runChanges(quirks)) {
    data = dataUnder(data, change)
    if (data === null) return null
  }
  return data
}

/** Runs in both precisions: their difference is the effect of rounding. */
export function measure(
  base: Model,
  candidate: Candidate,
  expected: Named<Tensor>,
  inputData: InputData,
): Measured | null {
  const model = candidateModel(base, candidate)
  if (model === null) return null
  const data = dataFor(model, candidate.quirks, expected, inputData)
  if (data === null) return null
  const options = {
    outputs: data.targets.map(({ name }) => name),
    ...(data.initial.size > 0 && { initialState: Object.fromEntries(data.initial) }),
  }
  const [actual, single] = (['f64', 'f32'] as const).map((precision) =>
    compileSync(model, { precision }).predict(data.inputs, options),
  )
  let maxError = 0
  let excess = 0
  let largest = 0
  for (const target of data.targets) {
    const tolerance = deriveTolerance({
      expected: target.tensor,
      precision: 'f64',
      float32Error: roundingError(actual[target.name], single[target.name]),
    })
    largest = Math.max(largest, FITTING * tolerance.largest)
    eachError(target, actual[target.name], (error, e) => {
      maxError = Math.max(maxError, error)
      excess = Math.max(excess, error === 0 ? 0 : error / (FITTING * tolerance.at(e)))
    })
  }
  return { candidate, model, maxError, excess, tolerance: largest, actual, data }
}

/** Visits every expected number: error, expected, actual, index of its vector, and unit. */
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
      visit(distance(a, e), e, a, i, u)
    }
  }
}
