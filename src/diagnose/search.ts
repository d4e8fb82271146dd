/**
 * Searches the readings of a model for those that explain the data. Readings that pass the
 * prefilter are run by the engine on all the data and compared within its tolerance.
 *
 * A reading with fewer departures from the model is the better explanation and is tried earlier: the
 * model as it is, every single mistake and convention, a factor, then combinations of two and more.
 * Once something fits, the search finishes that number of departures. Then it tries what is near the
 * fits, to say what the data leaves open.
 */

import { isRecurrent } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
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
import { orderOf } from './change.ts'
import { CpuClock } from './clock.ts'
import {
  conventionProduct,
  keepsActivations,
  pairs,
  pairsOf,
  quirkInstances,
} from './combinations.ts'
import type { Expected, InputData } from './data.ts'
import { estimatedFactors } from './factors.ts'
import { groupFits } from './groups.ts'
import { entryOf } from './hypotheses.ts'
import { dataFor, eachError, type Measured, measure } from './measure.ts'
import { canPrefilter, ModelPrefilter, type Prefilter, passEverything } from './prefilter.ts'
import { applyQuirk, type Quirk } from './quirks.ts'

export interface SearchOptions {
  /** Milliseconds of CPU time after which the search returns what it has. */
  readonly budget: number
  readonly onProgress?: (progress: Progress) => void
  /** At most one mistake, and nothing slow; for commands that only hint at a diagnosis. */
  readonly quick: boolean
}

/** How far a search has come. */
export interface Progress {
  /** What is being tried, in words. */
  readonly stage: string
  /** Readings tried so far. */
  readonly tried: number
  /** The share of the budget that is spent, 0 to 1. */
  readonly spent: number
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
  /** What was tried to the end, and what was not, in words. */
  readonly finished: readonly string[]
  readonly left: readonly string[]
}

/** A part of the search. */
interface Stage {
  readonly title: string
  readonly run: () => void
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
/** Multiplications that trying all combinations of conventions may take once something fits. */
const MOST_COMBINED = 4e8
/** Fewer numbers are explained by one factor or another, and show none. */
const FEWEST_FOR_FACTORS = 16
/** Pieces into which a state that is set back may cut a sequence, where only its end is known. */
const MOST_COUNTS = 256
/** Milliseconds of CPU time between two reports of progress. */
const REPORT_EVERY = 200
/** How many times nearer each departure must bring the outputs to be worth reporting. */
const NEARER = 4

export function search(
  model: Model,
  expected: Expected,
  inputData: InputData,
  options: SearchOptions,
): SearchResult {
  return new Search(model, expected, inputData, options).run()
}

/** A candidate that did not fit: how many steps were right, and the excess at the next ones. */
interface Near {
  readonly candidate: Candidate
  readonly steps: number
  readonly excess: number
}

class Search {
  private readonly model: Model
  private readonly expected: Expected
  private readonly inputData: InputData
  private readonly options: SearchOptions
  private readonly clock = new CpuClock()
  private readonly began = this.clock.now()
  private reported = 0
  private stage = ''
  private readonly mistakes: readonly Quirk[]
  private readonly product: readonly Choice[]
  private readonly fits: Measured[] = []
  private readonly seen = new Set<string>()
  private lastQuirk: { readonly quirk: Quirk; readonly model: Model | null } | null = null
  private near: Near[] = []
  private complete = true

  constructor(model: Model, expected: Expected, inputData: InputData, options: SearchOptions) {
    this.model = model
    this.expected = expected
    this.inputData = inputData
    this.options = options
    this.product = conventionProduct(model)
    this.mistakes = quirkInstances(model)
  }

  run(): SearchResult {
    const finished: string[] = []
    const left: string[] = []
    this.stages().forEach(({ title, run }, departed) => {
      // The factor between is a single mistake too.
      const needed = this.simplest() >= departed
      if (!needed) return
      if (this.complete) {
        this.stage = title
        run()
      }
      ;(this.complete ? finished : left).push(title)
    })
    const found = this.fits.length > 0
    if (found && this.complete) {
      this.stage = 'what the data leaves open'
      this.nearTheSimplest()
    }
    const { fits, compensating } = groupFits(this.fits)
    const unseen = this.unseenBeside(fits)
    if (found && !this.complete) left.push('what the data leaves open')
    return {
      fits,
      compensating,
      unseen,
      best: fits[0] ?? this.nearest(),
      tried: this.seen.size,
      complete: this.complete,
      finished,
      left,
    }
  }

  /** What is tried, by the number of departures from the model. */
  private stages(): readonly Stage[] {
    const { quick } = this.options
    const core = this.product.filter(keepsActivations)
    const one = this.mistakes.map((quirk) => [quirk])
    const of = (choices: readonly Choice[], count: number): readonly Choice[] =>
      choices.filter((choice) => countOf(choice) === count)
    const combinations = (cost: number): void => {
      this.level([[]], of(this.product, cost))
      this.level(one, of(quick ? core : this.product, cost - 1))
      if (!quick) this.level(pairsOf(this.mistakes), of(core, cost - 2))
    }
    return [
      { title: 'the model as it is read', run: () => this.level([[]], of(this.product, 0)) },
      {
        title: 'single mistakes',
        run: () => {
          this.level([[]], of(this.product, 1))
          this.level(one, of(this.product, 0))
          this.level(this.resets(), of(this.product, 0))
          this.layerByLayer(1)
          if (this.fits.length === 0) this.factorsBeside([], [{}])
        },
      },
      {
        title: 'two mistakes together',
        run: () => {
          combinations(2)
          if (quick || this.fits.length > 0) return
          this.layerByLayer(2)
          if (this.fits.length === 0) this.factors()
        },
      },
      ...Array.from({ length: MOST_DEPARTURES - 2 }, (_, i) => ({
        title: `combinations of ${i + 3}`,
        run: () => combinations(i + 3),
      })),
    ]
  }

  private late(): boolean {
    const { budget, onProgress } = this.options
    const spent = this.clock.now() - this.began
    if (onProgress !== undefined && spent >= this.reported + REPORT_EVERY) {
      this.reported = spent
      onProgress({ stage: this.stage, tried: this.seen.size, spent: Math.min(1, spent / budget) })
    }
    if (spent < budget && this.fits.length < MOST_FITS) return false
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
    // A run of a large model on long data can take a second.
    const products = rows * steps * productsOfStep(this.model)
    const affordable = Math.floor(MOST_PRODUCTS / Math.max(1, products))
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
    return canPrefilter(model, data) ? new ModelPrefilter(model, data) : passEverything
  }

  /** The model with one quirk: the first of a pair is the same for many pairs in a row. */
  private withQuirk(quirk: Quirk): Model | null {
    if (this.lastQuirk?.quirk !== quirk)
      this.lastQuirk = { quirk, model: applyQuirk(this.model, quirk) }
    return this.lastQuirk.model
  }

  /** Tries conventions of one layer alone: one of them, or several and those of two layers at once. */
  private layerByLayer(departed: 1 | 2): void {
    const layers = this.model.nodes.filter(isRecurrent)
    const prefilter = layers.length < 2 ? null : this.prefilterFor(asItIs)
    if (prefilter === null) return
    const tryOwn = (own: Candidate['layers']): void => {
      const candidate = { ...asItIs, layers: own }
      this.try(prefilter, candidate)
    }
    const choices = layers.map((node) =>
      conventionProduct({ ...this.model, nodes: [node] }).filter((choice) =>
        departed === 1 ? countOf(choice) === 1 : countOf(choice) > 1,
      ),
    )
    layers.forEach(({ name }, i) => {
      for (const choice of choices[i]) {
        if (this.late()) return
        tryOwn({ [name]: choice })
      }
    })
    if (departed === 1 || this.fits.length > 0) return
    const core = layers.map((node) =>
      conventionProduct({ ...this.model, nodes: [node] })
        .slice(1)
        .filter(keepsActivations),
    )
    for (const [i, j] of pairs(layers.map((_, index) => index))) {
      for (const first of core[i]) {
        for (const second of core[j]) {
          if (this.late()) return
          tryOwn({ [layers[i].name]: first, [layers[j].name]: second })
        }
      }
    }
  }

  /** Counts of steps after which the state may be set back. */
  private *resets(): Generator<readonly Quirk[]> {
    const { steps } = this.inputData.extents
    const base = measure(this.model, asItIs, this.expected, this.inputData)
    if (base === null) return
    const counts = base.data.targets.every(({ overTime }) => overTime)
      ? [firstWrongStep(base)]
      : Array.from({ length: Math.min(steps - 2, MOST_COUNTS) }, (_, i) => i + 2)
    for (const count of counts) {
      if (count > 1 && count < steps)
        yield [{ name: 'state-reset', value: String(count), layer: null }]
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
    const numbers = Object.values(this.expected.tensors).reduce((sum, t) => sum + t.data.length, 0)
    if (numbers < FEWEST_FOR_FACTORS) return
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
   * Tries combinations of conventions, which may make up for each other: all of them where that is
   * quick; data that takes long to compute has many steps, and leaves little to chance. Then what is one convention away from the fits, in all layers and in each layer alone.
   */
  private nearTheSimplest(): void {
    const layers = this.model.nodes.filter(isRecurrent)
    const least = this.simplest()
    const affordable = this.productsOfOneTest() * this.product.length <= MOST_COMBINED
    if (affordable)
      this.level(
        [[]],
        this.product.filter((choice) => countOf(choice) > least),
      )
    const attempt = (candidate: Candidate): Measured | null => {
      const prefilter = this.seen.has(JSON.stringify(candidate))
        ? null
        : this.prefilterFor(candidate)
      return prefilter && this.try(prefilter, candidate)
    }
    const reached = [...groupFits(this.fits).fits]
    for (let i = 0; i < Math.min(reached.length, MOST_JOINED); i++) {
      const { candidate } = reached[i]
      if (candidate.quirks.length === 0 && affordable) continue
      const count = countOf(candidate.choice)
      for (const choice of this.product) {
        if (this.late()) return
        if (Math.abs(countOf(choice) - count) > 2) continue
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

  /** Multiplications of one test of the prefilter, at the least; of a run where there is none. */
  private productsOfOneTest(): number {
    const prefilter = this.prefilterFor(asItIs)
    const { rows, steps } = this.inputData.extents
    const ofStep = productsOfStep(this.model)
    return prefilter instanceof ModelPrefilter
      ? ofStep * prefilter.windows[0]
      : Math.max(MOST_COMBINED / 1000, 2 * ofStep * rows * steps)
  }

  /**
   * Mistakes that could be made in addition without being seen. Roundings finer than the data and
   * what happens in a single step are not asked for: almost any data leaves them open.
   */
  private unseenBeside(fits: readonly Measured[]): readonly Unseen[] {
    const unseen: Unseen[] = []
    for (const { candidate } of fits.slice(0, MOST_JOINED)) {
      const names = candidate.quirks.map(({ name }) => name)
      for (const quirk of this.mistakes) {
        if (this.late()) return unseen
        if (names.includes(quirk.name) || entryOf(quirk.name).alone) continue
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

/** Multiplications of a step of the recurrent layers. */
function productsOfStep({ nodes }: Model): number {
  return nodes
    .filter(isRecurrent)
    .reduce(
      (sum, node) => sum + orderOf(node).length * node.units * (node.units + node.features),
      0,
    )
}

/** The first step with an error out of tolerance; 0 where every step is right. */
function firstWrongStep({ data, actual, tolerance }: Measured): number {
  let first = Number.POSITIVE_INFINITY
  for (const target of data.targets) {
    eachError(target, actual[target.name], (error, _, __, at) => {
      if (error > tolerance) first = Math.min(first, target.places[2 * at + 1])
    })
  }
  return Number.isFinite(first) ? first : 0
}

function needsConventions({ quirks }: Candidate): boolean {
  return quirks.some(({ name }) => entryOf(name).afterConventions)
}

/** The candidates that stayed right longest, and among those the nearest. */
function nearestOf(near: readonly Near[]): Near[] {
  return near.toSorted((a, b) => b.steps - a.steps || a.excess - b.excess).slice(0, MOST_NEAR)
}
