/** Turns the result of a search into an answer: what fits, what stays open, what the data shows. */

import { conventionTable } from '../model/conventions/conventions.ts'
import { isRecurrent } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import {
  asItIs,
  type ConventionSet,
  conventionSet,
  flagsOf,
  type Candidate as SearchCandidate,
} from './candidate.ts'
import { classes } from './canonical.ts'
import { type Convention, conventionOf } from './change.ts'
import { type Explanation, explain } from './explain.ts'
import { conventionHypotheses, entryOf, hypothesisNames } from './hypotheses.ts'
import type { Measured } from './measure.ts'
import { type Quirk, showQuirk } from './quirks.ts'
import type { Extents } from './runs.ts'
import type { SearchResult } from './search.ts'
import { type Suggestion, suggest } from './suggest.ts'

export interface Candidate {
  readonly convention: ConventionSet
  readonly maxError: number
  /** What `gruv run MODEL` needs to compute this; empty for the model as it is. */
  readonly flags: string
  /** Other conventions that are equivalent for these weights. */
  readonly sameAs: readonly ConventionSet[]
  /** What it assumes apart from conventions, in words. */
  readonly title: string
}

export interface ToTellApart {
  /** Conventions on which the candidates differ. */
  readonly open: readonly {
    readonly convention: string
    readonly title: string
    readonly values: readonly string[]
  }[]
  /** Mistakes that any candidate could have in addition without this data showing it. */
  readonly unseen: readonly { readonly quirk: string; readonly title: string }[]
  /** Conventions that this data does determine, and their values. */
  readonly shown: readonly { readonly convention: string; readonly value: string }[]
  /** Readings that fit only because several departures compensate each other. */
  readonly compensating: readonly Candidate[]
  /** An input that would tell them apart, once it is run where the expected data came from. */
  readonly suggestion: Suggestion | null
}

export interface Diagnosis {
  /**
   * `none` where everything was tried and nothing fits; `not finished` where the time was up before;
   * `nothing to compare` where no expected number is finite.
   */
  readonly verdict: 'identified' | 'ambiguous' | 'none' | 'not finished' | 'nothing to compare'
  /** Best first; where nothing fits the nearest one. */
  readonly candidates: readonly Candidate[]
  /** Set when the verdict is `ambiguous`. */
  readonly toTellApart: ToTellApart | null
  /** Set when nothing fits. */
  readonly explanation: Explanation | null
  /** Twice the rounding bound of the expected data: what fits is within it. */
  readonly tolerance: number
  /** Readings tried, and whether there was time for all of them. */
  readonly tried: number
  readonly complete: boolean
  /** What was tried to the end, and what was not, in words. */
  readonly finished: readonly string[]
  readonly left: readonly string[]
}

/** What the answer depends on, apart from the result of the search. */
export interface Circumstances {
  /** The model as it was given, for flags; and as the search sees it. */
  readonly source: Model
  readonly model: Model
  readonly extents: Extents
  readonly conventionFlags: boolean
  /** No suggestion is wanted. */
  readonly quick: boolean
  /** Whether any expected number is finite. */
  readonly finite: boolean
}

/** One class of equivalent readings, simplest first. */
type ReadingClass = readonly Measured[]

export function toDiagnosis(
  found: SearchResult & { readonly best: Measured },
  about: Circumstances,
): Diagnosis {
  const { tolerance } = found.best
  const { tried, complete, finished, left } = found
  const rest = { tolerance, tried, complete, finished, left }
  if (!about.finite) {
    const nothing = { candidates: [], toTellApart: null, explanation: null }
    return { verdict: 'nothing to compare', ...nothing, ...rest }
  }
  if (found.fits.length === 0) {
    return {
      verdict: complete ? 'none' : 'not finished',
      candidates: [present([found.best], about)],
      toTellApart: null,
      explanation: explain(found.best),
      ...rest,
    }
  }
  // Readings that are equivalent for these weights belong to one class, however they were found.
  // The first list with a member of the class decides what the class counts as.
  const lists = [found.fits, found.unseen.map(({ fit }) => fit), found.compensating]
  const all = classes(about.model, lists.flat())
  const [fits, unseen, compensating] = lists.map((list, i) => {
    const before = new Set(lists.slice(0, i).flat())
    const own = new Set(list)
    return all
      .filter((members) => !members.some((member) => before.has(member)))
      .map((members) => members.filter((member) => own.has(member)))
      .filter((members) => members.length > 0)
  })
  const identified = fits.length === 1 && unseen.length === 0 && compensating.length === 0
  const quirks = found.unseen.flatMap(({ quirk, fit }) =>
    unseen.some((members) => members.includes(fit)) ? [quirk] : [],
  )
  return {
    verdict: identified ? 'identified' : 'ambiguous',
    candidates: fits.map((members) => present(members, about)),
    toTellApart: identified ? null : tellApart(fits, unseen, quirks, compensating, about),
    explanation: null,
    ...rest,
  }
}

function present(members: ReadingClass, { source, conventionFlags }: Circumstances): Candidate {
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

/** With the reset before the product, both placements of the bias are the same. */
function biasElsewhere({ model, candidate }: Measured): readonly ConventionSet[] {
  const set = conventionSet(model, candidate)
  const node = model.nodes.find((each) => each.kind === 'gru')
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
  fits: readonly ReadingClass[],
  unseenFits: readonly ReadingClass[],
  unseenQuirks: readonly Quirk[],
  compensating: readonly ReadingClass[],
  about: Circumstances,
): ToTellApart {
  const open: ToTellApart['open'][number][] = []
  const shown: ToTellApart['shown'][number][] = []
  for (const [key, name] of conventionHypotheses) {
    const values = [...new Set(fits.flatMap(([first]) => valueIn(first.model, key) ?? []))]
    if (values.length > 1) open.push({ convention: key, title: conventionTable[key].title, values })
    else if (values.length === 1 && canDiffer(about.model, key, name))
      shown.push({ convention: key, value: values[0] })
  }
  const unseen = new Map(
    [...unseenQuirks, ...quirksOfTime(fits[0][0], about)].map((quirk) => [
      showQuirk(quirk),
      entryOf(quirk.name).title,
    ]),
  )
  const separate = [...fits, ...unseenFits, ...compensating].map(([first]) => first.candidate)
  return {
    open,
    unseen: [...unseen].map(([quirk, title]) => ({ quirk, title })),
    shown,
    compensating: compensating.map((members) => present(members, about)),
    suggestion: about.quick
      ? null
      : suggest(about, separate.length > 1 ? separate : [asItIs, ...separate]),
  }
}

/** A convention's value in a model, layer by layer where they differ. */
function valueIn(model: Model, key: Convention): string | null {
  const values = model.nodes.filter(isRecurrent).flatMap((node) => {
    const value = conventionOf(node, key)
    return value === null ? [] : [{ value, layer: node.name }]
  })
  if (values.length === 0) return null
  if (values.every(({ value }) => value === values[0].value)) return values[0].value
  return values.map(({ value, layer }) => `${value} in ${layer}`).join(', ')
}

/**
 * Whether the model would differ under another value; a bias can only move where it is recurrent.
 */
function canDiffer(
  model: Model,
  key: Convention,
  name: (typeof conventionHypotheses)[number][1],
): boolean {
  if (entryOf(name).values.length < 2) return false
  return model.nodes.some(
    (node) =>
      isRecurrent(node) &&
      conventionOf(node, key) !== null &&
      (key !== 'bias' || node.weights.recurrentBias !== null),
  )
}

/** Quirks that a single step cannot show. */
function quirksOfTime({ data }: Measured, { extents }: Circumstances): readonly Quirk[] {
  if (extents.steps > 1) return []
  const overTime = data.targets.every((target) => target.overTime)
  return hypothesisNames.flatMap((name) => {
    if (entryOf(name).takes !== undefined) return []
    const change = entryOf(name).run?.('')
    if (change === undefined || change.applies(extents, overTime)) return []
    return change.applies({ ...extents, steps: 2 }, overTime)
      ? [{ name, value: null, layer: null }]
      : []
  })
}
