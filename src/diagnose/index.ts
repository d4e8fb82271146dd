/**
 * `gruv/diagnose`: the numbers differ; which mistake explains them?
 *
 *     const { verdict, candidates } = diagnose(model, { input, expected })
 *     verdict              // 'identified'
 *     candidates[0].flags  // '--update updates --bias merged'
 */

import { conventionTable } from '../model/conventions.ts'
import type { Model } from '../model/types.ts'
import type { Named, TensorLike } from '../tensor.ts'
import {
  asItIs,
  type ConventionSet,
  conventionSet,
  flagsOf,
  type Candidate as SearchCandidate,
  takesConventionFlags,
} from './candidate.ts'
import { classes } from './canonical.ts'
import { isGru } from './change.ts'
import { type DiagnoseData, expectedByName, misfit, readSides, withStateOutputs } from './data.ts'
import { type Explanation, explain } from './explain.ts'
import { conventionHypotheses, entryOf, type HypothesisName, showQuirk } from './hypotheses.ts'
import { conventionProduct, type Measured, search } from './search.ts'
import { type Suggestion, suggest } from './suggest.ts'

export type { ConventionSet } from './candidate.ts'
export type { Explanation } from './explain.ts'
export {
  applyQuirks,
  type HypothesisName,
  hypothesisTable,
  parseQuirk,
  type Quirk,
  showQuirk,
} from './hypotheses.ts'
export { withRunQuirks } from './program.ts'
export type { Suggestion } from './suggest.ts'

export interface DiagnoseOptions extends DiagnoseData {
  /** Milliseconds for the search; default 20,000. */
  readonly budget?: number
  /** Conventions and single mistakes only. */
  readonly quick?: boolean
  /**
   * Whether the model's file takes flags for its conventions, or has to be overruled by quirks.
   * Default: it takes them unless it states a convention.
   */
  readonly conventionFlags?: boolean
}

export interface Candidate {
  readonly convention: ConventionSet
  readonly maxError: number
  /** What `gruv run MODEL` needs to compute this; empty for the model as it is. */
  readonly flags: string
  /** Other conventions that come to the same for these weights. */
  readonly sameAs: readonly ConventionSet[]
  /** What it assumes beside conventions, in words. */
  readonly title: string
}

export interface ToTellApart {
  /** Conventions on which the candidates differ. */
  readonly open: readonly {
    readonly convention: string
    readonly title: string
    readonly values: readonly string[]
  }[]
  /** Mistakes that any candidate could have on top without this data showing it. */
  readonly unseen: readonly { readonly quirk: string; readonly title: string }[]
  /** Conventions that this data does show, and their values. */
  readonly shown: readonly { readonly convention: string; readonly value: string }[]
  /** An input that would tell, once somebody runs it where the expected data came from. */
  readonly suggestion: Suggestion | null
}

export interface Diagnosis {
  readonly verdict: 'identified' | 'ambiguous' | 'none'
  /** Best first; with verdict `none` the nearest one. */
  readonly candidates: readonly Candidate[]
  /** Set when the verdict is `ambiguous`. */
  readonly toTellApart: ToTellApart | null
  /** Set when the verdict is `none`. */
  readonly explanation: Explanation | null
  /** Twice the rounding bound of the expected data: what fits is within it. */
  readonly tolerance: number
  /** Readings tried, and whether the time sufficed for all of them. */
  readonly tried: number
  readonly complete: boolean
}

const DEFAULT_BUDGET = 20_000

/**
 * Searches every hypothesis of the table for the ones that explain the expected outputs.
 * @throws GruvError when input or expected data fit no reading of the model.
 */
export function diagnose(source: Model, options: DiagnoseOptions): Diagnosis {
  const { budget = DEFAULT_BUDGET, quick = false } = options
  const expected = expectedByName(source, options.expected)
  const model = withStateOutputs(source, Object.keys(expected))
  const sides = readSides(model, options)
  const found = search(model, expected, sides, { budget, quick })
  if (found.best === null) throw misfit(model, expected, sides.extents)

  const conventionFlags = options.conventionFlags ?? takesConventionFlags(source)
  const present = (members: readonly Measured[]): Candidate => {
    const [first, ...others] = members
    return {
      convention: conventionSet(first.model, first.candidate),
      maxError: first.maxError,
      flags: flagsOf(source, first.candidate, conventionFlags),
      sameAs: [
        ...others.map((other) => conventionSet(other.model, other.candidate)),
        ...biasElsewhere(first),
      ],
      title: titleOf(first.candidate),
    }
  }
  const rest = {
    tolerance: found.best.tolerance,
    tried: found.tried,
    complete: found.complete,
  }
  if (found.fits.length === 0) {
    return {
      verdict: 'none',
      candidates: [present([found.best])],
      toTellApart: null,
      explanation: explain(found.best),
      ...rest,
    }
  }

  // Unseen quirks are classes too: one that changes nothing for these weights belongs to its fit.
  const all = classes(model, [...found.fits, ...found.unseen.map(({ fit }) => fit)])
  const fits = new Set(found.fits)
  const groups = all
    .map((members) => members.filter((member) => fits.has(member)))
    .filter((members) => members.length > 0)
  const unseen = all
    .filter((members) => !members.some((member) => fits.has(member)))
    .map(([member]) => member)
  const candidates = groups.map(present)
  const identified = candidates.length === 1 && unseen.length === 0
  return {
    verdict: identified ? 'identified' : 'ambiguous',
    candidates,
    toTellApart: identified
      ? null
      : tellApart(
          model,
          groups.map(([first]) => first),
          unseen,
          found.unseen,
          quick,
        ),
    explanation: null,
    ...rest,
  }
}

/** Before the reset the bias has one place under two names. */
function biasElsewhere({ model, candidate }: Measured): readonly ConventionSet[] {
  const set = conventionSet(model, candidate)
  const node = model.nodes.filter(isGru)[0]
  if (set.reset !== 'before' || node?.weights.recurrentBias == null || set.bias === undefined)
    return []
  return [{ ...set, bias: set.bias === 'merged' ? 'separate' : 'merged' }]
}

function titleOf({ quirks }: SearchCandidate): string {
  return quirks
    .map(({ name, value, layer }) => {
      const factor = value === null ? '' : ` (${value})`
      return `${entryOf(name).title}${factor}${layer === null ? '' : `, in layer ${layer}`}`
    })
    .join('; ')
}

function tellApart(
  model: Model,
  fits: readonly Measured[],
  unseenFits: readonly Measured[],
  unseen: readonly { readonly quirk: Parameters<typeof showQuirk>[0]; readonly fit: Measured }[],
  quick: boolean,
): ToTellApart {
  const sets = fits.map((fit) => conventionSet(fit.model, fit.candidate))
  const open: ToTellApart['open'][number][] = []
  const shown: ToTellApart['shown'][number][] = []
  const tried = conventionProduct(model)
  for (const [key] of conventionHypotheses) {
    const values = [...new Set(sets.flatMap((set) => set[key] ?? []))]
    if (values.length > 1) open.push({ convention: key, title: conventionTable[key].title, values })
    else if (values.length === 1 && tried.some((choice) => choice[key] !== undefined))
      shown.push({ convention: key, value: values[0] })
  }
  const quirks = new Map<string, HypothesisName>()
  for (const { quirk, fit } of unseen)
    if (unseenFits.includes(fit)) quirks.set(showQuirk(quirk), quirk.name)
  const separate = [...fits, ...unseenFits].map(({ candidate }) => candidate)
  return {
    open,
    unseen: [...quirks].map(([quirk, name]) => ({ quirk, title: entryOf(name).title })),
    shown,
    suggestion: quick
      ? null
      : suggest(model, separate.length > 1 ? separate : [asItIs, ...separate]),
  }
}

/** @internal For `--suggest-input`: the input alone. */
export function suggestedInput({ toTellApart }: Diagnosis): Named<TensorLike> | null {
  return toTellApart?.suggestion?.input ?? null
}
