/**
 * `gruv/diagnose`: finds the mistake that explains why the numbers differ.
 *
 *     const { verdict, candidates } = diagnose(model, { input, expected })
 *     verdict              // 'identified'
 *     candidates[0].flags  // '--update updates --bias merged'
 */

import type { Model } from '../model/types.ts'
import type { Named, TensorLike } from '../tensor.ts'
import { expectedByName } from '../verify/expected.ts'
import { takesConventionFlags } from './candidate.ts'
import {
  type DiagnoseData,
  type Expected,
  type InputData,
  inTruePrecision,
  nothingFits,
  plainModel,
  readInputData,
} from './data.ts'
import { type Diagnosis, toDiagnosis } from './diagnosis.ts'
import { runAsItIs } from './measure.ts'
import { type Progress, search } from './search.ts'

export { type ConventionSet, quoted } from './candidate.ts'
export type { Candidate, Diagnosis, ToTellApart } from './diagnosis.ts'
export type { Explanation } from './explain.ts'
export { type HypothesisName, hypothesisTable } from './hypotheses.ts'
export { withRunQuirks } from './program.ts'
export { applyQuirks, changesRun, parseQuirk, type Quirk, showQuirk } from './quirks.ts'
export type { Progress } from './search.ts'
export type { Suggestion } from './suggest.ts'

export interface DiagnoseOptions extends DiagnoseData {
  /**
   * Milliseconds of CPU time for the search (of the clock in a browser); default 10,000. A search
   * that was cut short is `not finished`.
   */
  readonly budget?: number
  /** Called now and then while it searches. */
  readonly onProgress?: (progress: Progress) => void
  /** Conventions and single mistakes only. */
  readonly quick?: boolean
  /**
   * Whether the model's file takes flags for its conventions, or quirks must override them.
   * Default: it takes flags unless it states a convention.
   */
  readonly conventionFlags?: boolean
}

const DEFAULT_BUDGET = 10_000

/**
 * Searches every hypothesis of the table for the ones that explain the expected outputs.
 * @throws GruvError when input or expected data fit no reading of the model.
 */
export function diagnose(source: Model, options: DiagnoseOptions): Diagnosis {
  const { budget = DEFAULT_BUDGET, quick = false, onProgress } = options
  const given = expectedByName(source, options.expected)
  const names = Object.keys(given)
  const tensors = Object.fromEntries(names.map((name) => [name, inTruePrecision(given[name])]))
  const model = plainModel(source, names)
  const inputData = readInputData(source, model, options)
  const { symbols, shapes } = shapesOf(model, inputData)
  const ports = Object.fromEntries(source.outputs.map((port) => [port.name, port]))
  const expected: Expected = { tensors, ports, symbols }
  const found = search(model, expected, inputData, {
    budget,
    quick,
    ...(onProgress && { onProgress }),
  })
  const { best } = found
  if (best === null) throw nothingFits(expected, shapes)
  return toDiagnosis(
    { ...found, best },
    {
      source,
      model,
      extents: inputData.extents,
      conventionFlags: options.conventionFlags ?? takesConventionFlags(source),
      quick,
      finite: Object.values(tensors).some(({ data }) => data.some(Number.isFinite)),
    },
  )
}

/** The outputs of the model as it is: their shapes, and the extents behind symbols in them. */
function shapesOf(
  model: Model,
  data: InputData,
): { readonly symbols: ReadonlyMap<string, number>; readonly shapes: Named<readonly number[]> } {
  const symbols = new Map<string, number>()
  const results = runAsItIs(model, data)
  const shapes: Record<string, readonly number[]> = {}
  for (const { name, shape } of model.outputs) {
    shapes[name] = results[name].shape
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string') symbols.set(dim, results[name].shape[axis])
    })
  }
  return { symbols, shapes }
}
/** @internal For `--suggest-input`: the input alone. */
export function suggestedInput({ toTellApart }: Diagnosis): Named<TensorLike> | null {
  return toTellApart?.suggestion?.input ?? null
}
