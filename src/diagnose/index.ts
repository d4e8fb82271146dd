/**
 * `gruv/diagnose`: finds the mistake that explains why the numbers differ.
 *
 *     const { verdict, candidates } = diagnose(model, { input, expected })
 *     verdict              // 'identified'
 *     candidates[0].flags  // '--update updates --bias merged'
 */

import type { Model } from '../model/types.ts'
import type { Named, TensorLike } from '../tensor.ts'
import { takesConventionFlags } from './candidate.ts'
import {
  type DiagnoseData,
  expectedByName,
  misfit,
  readInputData,
  withStateOutputs,
} from './data.ts'
import { type Diagnosis, toDiagnosis } from './diagnosis.ts'
import { search } from './search.ts'

export { type ConventionSet, quoted } from './candidate.ts'
export type { Candidate, Diagnosis, ToTellApart } from './diagnosis.ts'
export type { Explanation } from './explain.ts'
export { type HypothesisName, hypothesisTable } from './hypotheses.ts'
export { withRunQuirks } from './program.ts'
export { applyQuirks, changesRun, parseQuirk, type Quirk, showQuirk } from './quirks.ts'
export type { Suggestion } from './suggest.ts'

export interface DiagnoseOptions extends DiagnoseData {
  /** Milliseconds for the search; default 10,000. */
  readonly budget?: number
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
  const { budget = DEFAULT_BUDGET, quick = false } = options
  const expected = expectedByName(source, options.expected)
  const model = withStateOutputs(source, Object.keys(expected))
  const inputData = readInputData(model, options)
  const found = search(model, expected, inputData, { budget, quick })
  const { best } = found
  if (best === null) throw misfit(model, expected, inputData.extents)
  return toDiagnosis(
    { ...found, best },
    {
      source,
      model,
      extents: inputData.extents,
      conventionFlags: options.conventionFlags ?? takesConventionFlags(source),
      quick,
    },
  )
}

/** @internal For `--suggest-input`: the input alone. */
export function suggestedInput({ toTellApart }: Diagnosis): Named<TensorLike> | null {
  return toTellApart?.suggestion?.input ?? null
}
