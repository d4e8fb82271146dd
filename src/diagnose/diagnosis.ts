/** Turns the result of a search into an answer: what fits, what stays open, what the data shows. */

import { conventionTable, type GruConventionKey } from '../model/conventions/conventions.ts'
import type { Model } from '../model/types.ts'
import {
  asItIs,
  type ConventionSet,
  conventionSet,
  flagsOf,
  type Candidate as SearchCandidate,
} from './candidate.ts'
import { classes } from './canonical.ts'
import { conventionOf, isGru } from './change.ts'
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
  readonly verdict: 'identified' | 'ambiguous' | 'none'
  /** Best first; with verdict `none` the nearest one. */
  readonly candidates: readonly Candidate[]
  /** Set when the verdict is `ambiguous`. */
  readonly toTellApart: ToTellApart | null
  /** Set when the verdict is `none`. */
  readonly explanation: Explanation | null
  /** Twice the rounding bound of the expected data: what fits is within it. */
  readonly tolerance: number
  /** Readings tried, and whether there was time for all of them. */
  readonly tried: number
  readonly complete: boolean
}

/** What the answer depends on, apart from the result of the search. */
export interface Circumstances {
  /**
   * The model as it was given, for flags; and with final states as outputs where they are expected.
   */
  readonly source: Model
  readonly model: Model
  readonly extents: Extents
  readonly conventionFlags: boolean
  /** No suggestion is wanted. */
  readonly quick: boolean
}

/** One class of equivalent readings, simplest first. */
type ReadingClass = readonly Measured[]

export function toDiagnosis(
  found: SearchResult & { readonly best: Measured },
  about: Circumstances,
): Diagnosis {
  const { tolerance } = found.best
  const rest = { tolerance, tried: found.tried, complete: found.complete }
  if (found.fits.length === 0) {
    return {
      verdict: 'none',
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
      : suggest(about.model, separate.length > 1 ? separate : [asItIs, ...separate]),
  }
}

/** A convention's value in a model, layer by layer where they differ. */
function valueIn(model: Model, key: GruConventionKey): string | null {
  const nodes = model.nodes.filter(isGru)
  const values = nodes.map((node) => conventionOf(node, key))
  if (values.length === 0) return null
  if (values.every((value) => value === values[0])) return values[0]
  return nodes.map(({ name }, i) => `${values[i]} in ${name}`).join(', ')
}

/**
 * Whether the model would differ under another value; a bias can only move where it is recurrent.
 */
function canDiffer(
  model: Model,
  key: GruConventionKey,
  name: (typeof conventionHypotheses)[number][1],
): boolean {
  if (entryOf(name).values.length < 2) return false
  return model.nodes.some(
    (node) => isGru(node) && (key !== 'bias' || node.weights.recurrentBias !== null),
  )
}

/** Quirks that a single step cannot show. */
function quirksOfTime({ data }: Measured, { extents }: Circumstances): readonly Quirk[] {
  if (extents.steps > 1) return []
  const overTime = data.targets.every((target) => target.overTime)
  return hypothesisNames.flatMap((name) => {
    const change = entryOf(name).run
    if (change === undefined || change.applies(extents, overTime)) return []
    return change.applies({ ...extents, steps: 2 }, overTime)
      ? [{ name, value: null, layer: null }]
      : []
  })
}
