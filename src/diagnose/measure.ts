/** Runs a candidate on all the data and measures its errors against the tolerance. */

import { isGruvError } from '../errors.ts'
import type { Model } from '../model/types.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import { distance, type Named, type Tensor } from '../tensor.ts'
import { asSequences } from '../verify/layout.ts'
import {
  deriveTolerance,
  hasApproximated,
  largestMagnitude,
  roundingError,
} from '../verify/tolerance.ts'
import { type Candidate, candidateModel } from './candidate.ts'
import { type Data, dataUnder, type Expected, type InputData, layOut, type Target } from './data.ts'
import { type Quirk, runChanges } from './quirks.ts'
import { masksAsOptions } from './runs.ts'

/** The errors of a candidate on all the data. */
export interface Measured {
  readonly candidate: Candidate
  readonly model: Model
  readonly maxError: number
  /** The largest ratio of an error to its tolerance; up to 1 the candidate fits. */
  readonly excess: number
  readonly tolerance: number
  /** [rows, steps, units] that the model gave, by output; and the data as the model sees it. */
  readonly actual: Named<Tensor>
  readonly data: Data
}

/** Within twice the rounding bound: the expected numbers have errors too. */
const FITTING = 2

/** Of the largest expected number: a tolerance beyond this share says nothing. */
const MEANINGLESS = 1 / 4

/** The data under the quirks of a run, with targets that fit the model's outputs. */
export function dataFor(
  model: Model,
  quirks: readonly Quirk[],
  expected: Expected,
  inputData: InputData,
): Data | null {
  const targets = layOut(model, expected, inputData.extents)
  if (targets === null) return null
  let data: Data | null = { ...inputData, targets }
  for (const change of runChanges(quirks)) {
    data = dataUnder(data, change, model)
    if (data === null) return null
  }
  return data
}

/**
 * Runs in both precisions: their difference is the effect of rounding.
 * @returns null where the model cannot be read or run so.
 */
export function measure(
  base: Model,
  candidate: Candidate,
  expected: Expected,
  inputData: InputData,
): Measured | null {
  const model = candidateModel(base, candidate)
  if (model === null) return null
  const data = dataFor(model, candidate.quirks, expected, inputData)
  if (data === null) return null
  const outputs = data.targets.map(({ name }) => name)
  const runs = runInBoth(model, data, outputs)
  if (runs === null) return null
  const { actual, single } = runs
  let maxError = 0
  let excess = 0
  let largest = 0
  for (const target of data.targets) {
    if (actual[target.name].shape[2] !== target.width) return null
    const tolerance = deriveTolerance({
      expected: target.tensor,
      precision: 'f64',
      float32Error: roundingError(actual[target.name], single[target.name]),
      approximated: hasApproximated(model),
    })
    largest = Math.max(largest, FITTING * tolerance.largest)
    // A network that blows rounding up to the size of the numbers would explain any numbers.
    const scale = largestMagnitude(target.tensor.data)
    if (scale > 0 && tolerance.largest > MEANINGLESS * scale) excess = Number.POSITIVE_INFINITY
    eachError(target, actual[target.name], (error, e) => {
      maxError = Math.max(maxError, error)
      excess = Math.max(excess, error === 0 ? 0 : error / (FITTING * tolerance.at(e)))
    })
  }
  return { candidate, model, maxError, excess, tolerance: largest, actual, data }
}

/** The outputs as [rows, steps, units]; null where the graph does not fit such data. */
function runInBoth(
  model: Model,
  data: InputData,
  outputs: readonly string[],
): { readonly actual: Named<Tensor>; readonly single: Named<Tensor> } | null {
  const run = (precision: 'f32' | 'f64'): Named<Tensor> => {
    const results = compileSync(model, { precision }).predict(data.inputs, {
      ...optionsOf(data),
      outputs,
    })
    return Object.fromEntries(
      outputs.map((name) => {
        const { shape } = model.outputs.find((port) => port.name === name)!
        const axes = { row: shape.indexOf('batch'), time: shape.indexOf('time') }
        return [name, asSequences(results[name], axes)]
      }),
    )
  }
  try {
    return { actual: run('f64'), single: run('f32') }
  } catch (error) {
    // A reading that a graph's extents do not allow is no reading of it.
    if (isGruvError(error)) return null
    throw error
  }
}

/** All outputs of a model on the data, in the graph's order. @throws GruvError where it does not fit. */
export function runAsItIs(model: Model, data: InputData): Named<Tensor> {
  return compileSync(model).predict(data.inputs, optionsOf(data))
}

function optionsOf({ initial, masks, extents }: InputData) {
  return {
    ...(initial.size > 0 && { initialState: Object.fromEntries(initial) }),
    ...(masks !== null && masksAsOptions(masks, extents)),
  }
}

/** Visits every expected number: error, expected, actual, index of its vector, and unit. */
export function eachError(
  { tensor, width, overTime, places }: Target,
  actual: Tensor,
  visit: (error: number, expected: number, actual: number, at: number, unit: number) => void,
): void {
  const steps = actual.shape[1]
  for (let i = 0; i < places.length / 2; i++) {
    const from = (places[2 * i] * steps + (overTime ? places[2 * i + 1] : 0)) * width
    for (let u = 0; u < width; u++) {
      const a = actual.data[from + u]
      const e = tensor.data[i * width + u]
      visit(distance(a, e), e, a, i, u)
    }
  }
}
