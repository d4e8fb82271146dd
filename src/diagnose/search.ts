/**
 * Searches the readings of a model for those that explain the data. Readings that pass the
 * prefilter are run by the engine on all the data and compared within its tolerance.
 *
 * Conventions interact, so all their combinations are tried first. Then come single mistakes and
 * pairs, combined with conventions. A reading with fewer departures from the model is the better
 * explanation and is tried earlier. Once something fits, the search finishes that number of
 * departures and stops.
 */

import type { Model } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import {
  asItIs,
  type Candidate,
  type Choice,
  candidateModel,
  canHaveFactor,
  changesBetween,
  countOf,
  departures,
  inTableOrder,
  isFactor,
  readingsOf,
} from './candidate.ts'
import { isGru } from './change.ts'
import {
  conventionProduct,
  keepsActivations,
  pairs,
  pairsOf,
  quirkInstances,
} from './combinations.ts'
import { estimatedFactors } from './factors.ts'
import { groupFits } from './groups.ts'
import { entryOf } from './hypotheses.ts'
import { dataFor, type InputData, type Measured, measure } from './measure.ts'
import { canPrefilter, ModelPrefilter, type Prefilter, passEverything } from './prefilter.ts'
import { applyQuirk, type Quirk } from './quirks.ts'

export interface SearchOptions {
  /** Milliseconds after which the search returns what it has. */
  readonly budget: number
  /** At most one mistake, and nothing slow; for commands that only hint at a diagnosis. */
  readonly quick: boolean
}

/** A quirk that could be added to a fit without the data showing it. */
export interface Unseen {
  readonly quirk: Quirk
  readonly fit: Measured
}

export interface SearchResult {
  /**
   * The simplest fits, and those that a chain of single changes reaches from them; simplest first.
   */
  readonly fits: readonly Measured[]
  /** Fits that no such chain reaches, whose departures compensate each other. */
  readonly compensating: readonly Measured[]
  readonly unseen: readonly Unseen[]
  /** The simplest fit, or the nearest there is when nothing fits. */
  readonly best: Measured | null
  readonly tried: number
  readonly complete: boolean
}

/** More fits than are useful: data that shows so little is not searched to the end. */
const MOST_FITS = 400
/** All six conventions of a layer and one mistake. */
const MOST_DEPARTURES = 7
/** Fits on which further quirks are tried. */
const MOST_JOINED = 64
/** Candidates that are run in full when nothing fits, to report the nearest. */
const MOST_NEAR = 8
/** Multiplications that these runs may take together. */
const MOST_PRODUCTS = 2e9
/** How many times nearer each departure must bring the outputs to be worth reporting. */
const NEARER = 4

export function search(
  model: Model,
  expected: Named<Tensor>,
  inputData: InputData,
  { budget, quick }: SearchOptions,
): SearchResult {
  return new Search(model, expected, inputData, Date.now() + budget).run(quick)
}

/** A candidate that did not fit: how many steps were right, and the excess at the next ones. */
interface Near {
  readonly candidate: Candidate
  readonly steps: number
  readonly excess: number
}

class Search {
  private readonly model: Model
  private readonly expected: Named<Tensor>
  private readonly inputData: InputData
  private readonly deadline: number
  private readonly mistakes: readonly Quirk[]
  private readonly product: readonly Choice[]
  private readonly fits: Measured[] = []
  private readonly seen = new Set<string>()
  private lastQuirk: { readonly quirk: Quirk; readonly model: Model | null } | null = null
  private near: Near[] = []
  private complete = true

  constructor(model: Model, expected: Named<Tensor>, inputData: InputData, deadline: number) {
    this.model = model
    this.expected = expected
    this.inputData = inputData
    this.deadline = deadline
    this.product = conventionProduct(model)
    this.mistakes = quirkInstances(model)
  }

  run(quick: boolean): SearchResult {
    const core = this.product.filter(keepsActivations)
    const one = this.mistakes.map((quirk) => [quirk])
    this.level([[]], this.product)
    for (let cost = 1; cost <= MOST_DEPARTURES && this.simplest() >= cost; cost++) {
      const of = (choices: readonly Choice[], mistakes: number): readonly Choice[] =>
        choices.filter((choice) => countOf(choice) + mistakes === cost)
      this.level(one, of(quick ? core : this.product, 1))
      if (quick) continue
      this.level(pairsOf(this.mistakes), of(core, 2))
      if (cost !== 2 || this.fits.length > 0) continue
      this.layerByLayer()
      if (this.fits.length === 0) this.factors()
    }
    this.besideTheSimplest()
    const { fits, compensating } = groupFits(this.fits)
    return {
      fits,
      compensating,
      unseen: this.unseenBeside(fits),
      best: fits[0] ?? this.nearest(),
      tried: this.seen.size,
      complete: this.complete,
    }
  }

  private late(): boolean {
    if (Date.now() < this.deadline && this.fits.length < MOST_FITS) return false
    this.complete = false
    return true
  }

  private simplest(): number {
    return Math.min(...this.fits.map(({ candidate }) => departures(candidate)))
  }

  /** Tries every choice with every set of quirks, so that equally good fits are found together. */
  private level(sets: Iterable<readonly Quirk[]>, choices: readonly Choice[]): void {
    if (choices.length === 0) return
    for (const quirks of sets) {
      if (this.late()) return
      const shared = this.prefilterFor({ ...asItIs, quirks })
      if (shared === null) continue
      for (const choice of choices) {
        if (this.late()) return
        const candidate = { ...asItIs, choice, quirks }
        const prefilter = needsConventions(candidate) ? this.prefilterFor(candidate) : shared
        if (prefilter !== null) this.try(prefilter, candidate)
      }
    }
  }

  /** Tests and measures a candidate that was not tried before; keeps it if it fits. */
  private try(prefilter: Prefilter, candidate: Candidate): Measured | null {
    const id = JSON.stringify(candidate)
    if (this.seen.has(id)) return null
    const fit = this.measureIfPassed(prefilter, candidate)
    this.seen.add(id)
    if (fit !== null) this.fits.push(fit)
    return fit
  }

  private measureIfPassed(prefilter: Prefilter, candidate: Candidate): Measured | null {
    const { passed, steps, excess } = prefilter.test(readingsOf(candidate))
    const measured = passed ? measure(this.model, candidate, this.expected, this.inputData) : null
    if (measured !== null && measured.excess <= 1) return measured
    this.near.push({ candidate, steps, excess: measured?.excess ?? excess })
    if (this.near.length > 50 * MOST_NEAR) this.near = nearestOf(this.near)
    return null
  }

  /**
   * The candidate nearest to all the data. Among thousands of readings some are a little nearer by
   * chance, so each departure must bring the outputs much nearer.
   */
  private nearest(): Measured | null {
    const { rows, steps } = this.inputData.extents
    const products = this.model.nodes
      .filter(isGru)
      .reduce((sum, { units, features }) => sum + 3 * units * (units + features), 0)
    // A run of a large model on long data can take a second.
    const affordable = Math.floor(MOST_PRODUCTS / Math.max(1, rows * steps * products))
    const measured = [
      asItIs,
      ...nearestOf(this.near)
        .slice(0, Math.max(1, affordable))
        .map(({ candidate }) => candidate),
    ]
      .map((candidate) => measure(this.model, candidate, this.expected, this.inputData))
      .filter((each) => each !== null)
    const score = ({ candidate, maxError }: Measured): number =>
      maxError * NEARER ** departures(candidate)
    return measured.toSorted((a, b) => score(a) - score(b))[0] ?? null
  }

  /**
   * The prefilter for a candidate's quirks; null where they have no effect on the model or the
   * data. It applies conventions and factors to a model that already has the other quirks. Quirks
   * whose effect depends on the conventions need the candidate's own conventions applied here
   * first.
   */
  private prefilterFor(candidate: Candidate): Prefilter | null {
    let model = this.model
    if (needsConventions(candidate)) {
      const read = candidateModel(model, { ...candidate, quirks: [] })
      if (read === null) return null
      model = read
    }
    for (const quirk of candidate.quirks) {
      if (isFactor(quirk)) {
        if (!canHaveFactor(model, quirk)) return null
        continue
      }
      const next = model === this.model ? this.withQuirk(quirk) : applyQuirk(model, quirk)
      if (next === null) return null
      model = next
    }
    const data = dataFor(model, candidate.quirks, this.expected, this.inputData)
    if (data === null) return null
    return canPrefilter(model) ? new ModelPrefilter(model, data) : passEverything
  }

  /** The model with one quirk: the first of a pair is the same for many pairs in a row. */
  private withQuirk(quirk: Quirk): Model | null {
    if (this.lastQuirk?.quirk !== quirk)
      this.lastQuirk = { quirk, model: applyQuirk(this.model, quirk) }
    return this.lastQuirk.model
  }

  /** Tries all conventions of one layer alone, then of two layers at once. */
  private layerByLayer(): void {
    const layers = this.model.nodes.filter(isGru)
    const prefilter = layers.length < 2 ? null : this.prefilterFor(asItIs)
    if (prefilter === null) return
    const tryOwn = (own: Candidate['layers']): void => {
      const candidate = { ...asItIs, layers: own }
      this.try(prefilter, candidate)
    }
    const choices = layers.map((node) =>
      conventionProduct({ ...this.model, nodes: [node] }).slice(1),
    )
    layers.forEach(({ name }, i) => {
      for (const choice of choices[i]) {
        if (this.late()) return
        tryOwn({ [name]: choice })
      }
    })
    if (this.fits.length > 0) return
    for (const [i, j] of pairs(layers.map((_, index) => index))) {
      for (const first of choices[i].filter(keepsActivations)) {
        for (const second of choices[j].filter(keepsActivations)) {
          if (this.late()) return
          tryOwn({ [layers[i].name]: first, [layers[j].name]: second })
        }
      }
    }
  }

  /** Estimates factors that are not in the table, with conventions, then with another mistake. */
  private factors(): void {
    this.factorsBeside([], this.product.filter(keepsActivations))
    for (const mistake of this.mistakes) {
      if (this.fits.length > 0 || this.late()) return
      if (!isFactor(mistake)) this.factorsBeside([mistake], [{}])
    }
  }

  private factorsBeside(others: readonly Quirk[], choices: readonly Choice[]): void {
    const prefilter = this.prefilterFor({ ...asItIs, quirks: others })
    if (prefilter === null || prefilter === passEverything) return
    for (const candidates of estimatedFactors(prefilter, choices, others, () => this.late())) {
      for (const candidate of candidates) {
        if (this.prefilterFor(candidate) === null) break
        if (this.try(prefilter, candidate) !== null) break
      }
    }
  }

  /**
   * Tries what is one convention away from the fits: in all layers, where quirks made the search
   * skip some combinations, and in each layer of a stack alone.
   */
  private besideTheSimplest(): void {
    const layers = this.model.nodes.filter(isGru)
    const attempt = (candidate: Candidate): Measured | null => {
      const prefilter = this.seen.has(JSON.stringify(candidate))
        ? null
        : this.prefilterFor(candidate)
      return prefilter && this.try(prefilter, candidate)
    }
    const reached = [...groupFits(this.fits).fits]
    for (let i = 0; i < Math.min(reached.length, MOST_JOINED); i++) {
      const { candidate } = reached[i]
      for (const choice of candidate.quirks.length > 0 ? this.product : []) {
        if (this.late()) return
        const other = { ...candidate, choice }
        const fit = changesBetween(candidate, other) === 1 ? attempt(other) : null
        if (fit !== null) reached.push(fit)
      }
    }
    for (const { candidate } of layers.length > 1 ? reached.slice(0, MOST_JOINED) : []) {
      for (const node of layers) {
        for (const choice of conventionProduct({ ...this.model, nodes: [node] })) {
          if (this.late()) return
          if (countOf(choice) !== 1) continue
          const own = { ...candidate.layers[node.name], ...choice }
          attempt({ ...candidate, layers: { ...candidate.layers, [node.name]: own } })
        }
      }
    }
  }

  private unseenBeside(fits: readonly Measured[]): readonly Unseen[] {
    const unseen: Unseen[] = []
    for (const { candidate } of fits.slice(0, MOST_JOINED)) {
      const names = candidate.quirks.map(({ name }) => name)
      for (const quirk of this.mistakes) {
        if (this.late()) return unseen
        if (names.includes(quirk.name)) continue
        const more = { ...candidate, quirks: inTableOrder([...candidate.quirks, quirk]) }
        const id = JSON.stringify(more)
        const prefilter = this.seen.has(id) ? null : this.prefilterFor(more)
        if (prefilter === null) continue
        this.seen.add(id)
        const fit = this.measureIfPassed(prefilter, more)
        if (fit !== null) unseen.push({ quirk, fit })
      }
    }
    return unseen
  }
}

function needsConventions({ quirks }: Candidate): boolean {
  return quirks.some(({ name }) => entryOf(name).afterConventions)
}

/** The candidates that stayed right longest, and among those the nearest. */
function nearestOf(near: readonly Near[]): Near[] {
  return near.toSorted((a, b) => b.steps - a.steps || a.excess - b.excess).slice(0, MOST_NEAR)
}
