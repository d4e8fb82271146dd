/**
 * The search: every reading of the weights, alone and with one or two quirks, through the sieve;
 * what passes is run by the float64 engine on all the data and held against its tolerance.
 *
 * Conventions interact, so they are searched as a full product. Quirks are added one at a time,
 * then two. The first level on which something fits ends the search: what needs fewer mistakes
 * to explain the data is the better explanation.
 */

import type { GruConventionKey } from '../model/conventions.ts'
import type { GruNode, Model } from '../model/types.ts'
import { compileSync } from '../runtime/program.ts'
import type { Named, Tensor } from '../tensor.ts'
import { deriveTolerance } from '../verify/tolerance.ts'
import {
  asItIs,
  type Candidate,
  type Choice,
  candidateModel,
  departures,
  inTableOrder,
  readingOf,
} from './candidate.ts'
import { conventionOf, isGru } from './change.ts'
import { carry, type Data, layOut, type Target } from './data.ts'
import { applyQuirk, entryOf, hypothesisNames, type Quirk, runChanges } from './hypotheses.ts'
import { carryInputs } from './runs.ts'
import { canSift, type Reading, Sieve, type Sifted } from './sieve.ts'

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

export interface SearchOptions {
  /** Milliseconds after which the search is content with what it has. */
  readonly budget: number
  /** Neither pairs of quirks nor estimates: what a command that is about something else does. */
  readonly quick: boolean
}

export interface SearchResult {
  readonly fits: readonly Measured[]
  /** Quirks that could be added without the data showing it, each with one fit it could join. */
  readonly unseen: readonly { readonly quirk: Quirk; readonly fit: Measured }[]
  /** The nearest there is, when nothing fits. */
  readonly best: Measured | null
  readonly tried: number
  readonly complete: boolean
}

/** Within twice the rounding bound: the other side erred too. */
const FITTING = 2
/** Candidates that are run in full when nothing fits, to say how near the best comes. */
const MOST_NEAR = 8
const MOST_FITS = 64

export function search(
  model: Model,
  expected: Named<Tensor>,
  sides: Omit<Data, 'targets'>,
  { budget, quick }: SearchOptions,
): SearchResult {
  return new Search(model, expected, sides, Date.now() + budget).run(quick)
}

interface Near {
  readonly candidate: Candidate
  readonly sifted: Sifted
}

class Search {
  private readonly model: Model
  private readonly expected: Named<Tensor>
  private readonly sides: Omit<Data, 'targets'>
  private readonly deadline: number
  private readonly singles: readonly Quirk[]
  private readonly product: readonly Choice[]
  private readonly core: readonly Choice[]
  private near: Near[] = []
  private tried = 0
  private complete = true

  constructor(
    model: Model,
    expected: Named<Tensor>,
    sides: Omit<Data, 'targets'>,
    deadline: number,
  ) {
    this.model = model
    this.expected = expected
    this.sides = sides
    this.deadline = deadline
    this.product = conventionProduct(model)
    this.core = this.product.filter(
      (choice) => choice.activation === undefined && choice.recurrentActivation === undefined,
    )
    this.singles = quirkInstances(model)
  }

  run(quick: boolean): SearchResult {
    let fits = this.level([[]], this.product)
    const levels: readonly (() => readonly Measured[])[] = [
      () =>
        this.level(
          this.singles.map((quirk) => [quirk]),
          this.core,
        ),
      ...(quick
        ? []
        : [
            () =>
              this.level(
                this.singles.map((quirk) => [quirk]),
                this.product,
              ),
            () => this.layerByLayer(),
            () => this.estimatedFactors(),
            () => this.level(pairsOf(this.singles), this.core),
          ]),
    ]
    for (const level of levels) {
      if (fits.length > 0) break
      fits = level()
    }
    const { more, unseen } = this.neighbours(fits)
    fits = [...fits, ...more].toSorted(
      (a, b) => departures(a.candidate) - departures(b.candidate) || a.maxError - b.maxError,
    )
    return {
      fits,
      unseen,
      best: fits[0] ?? this.nearest(),
      tried: this.tried,
      complete: this.complete,
    }
  }

  private late(): boolean {
    if (Date.now() < this.deadline) return false
    this.complete = false
    return true
  }

  /** Everything on one level, so that what fits equally is found together. */
  private level(sets: Iterable<readonly Quirk[]>, choices: readonly Choice[]): readonly Measured[] {
    const fits: Measured[] = []
    for (const quirks of sets) {
      if (this.late() || fits.length >= MOST_FITS) break
      const sieve = this.sieve(quirks)
      if (sieve === null) continue
      for (let i = 0; i < choices.length; i++) {
        if ((i & 15) === 15 && this.late()) break
        const choice = choices[i]
        const reading = readingOf(choice)
        const fit = this.try(sieve, { ...asItIs, choice, quirks }, () => reading)
        if (fit !== null) fits.push(fit)
        if (fits.length >= MOST_FITS) break
      }
    }
    return fits
  }

  private try(
    sieve: Sieve,
    candidate: Candidate,
    reading: (node: GruNode) => Reading,
  ): Measured | null {
    this.tried++
    const sifted = sieve.sift(reading)
    if (!sifted.passed) {
      this.remember({ candidate, sifted })
      return null
    }
    const measured = measure(this.model, candidate, this.expected, this.sides)
    if (measured !== null && measured.excess <= 1) return measured
    this.remember({ candidate, sifted })
    return null
  }

  private remember(near: Near): void {
    this.near.push(near)
    if (this.near.length > 50 * MOST_NEAR) this.near = nearestOf(this.near)
  }

  private nearest(): Measured | null {
    const near = nearestOf([
      ...this.near,
      { candidate: asItIs, sifted: { passed: false, steps: 0, excess: Number.POSITIVE_INFINITY } },
    ])
    const measured = near
      .map(({ candidate }) => measure(this.model, candidate, this.expected, this.sides))
      .filter((each) => each !== null)
    return measured.toSorted((a, b) => a.maxError - b.maxError)[0] ?? null
  }

  private sieve(quirks: readonly Quirk[]): Sieve | null {
    let model = this.model
    for (const quirk of quirks) {
      const next = applyQuirk(model, quirk)
      if (next === null) return null
      model = next
    }
    const data = dataFor(model, quirks, this.expected, this.sides)
    return data !== null && canSift(model) ? new Sieve(model, data) : null
  }

  /** One layer read otherwise, with everything its conventions can be; then two layers at once. */
  private layerByLayer(): readonly Measured[] {
    const layers = this.model.nodes.filter(isGru)
    if (layers.length < 2) return []
    const sieve = this.sieve([])
    if (sieve === null) return []
    const attempt = (own: Readonly<Record<string, Choice>>): Measured | null => {
      const readings = new Map(
        Object.entries(own).map(([layer, choice]) => [layer, readingOf(choice)]),
      )
      return this.try(sieve, { ...asItIs, layers: own }, ({ name }) => readings.get(name) ?? {})
    }
    const fits: Measured[] = []
    const choices = layers.map((node) => conventionProduct({ ...this.model, nodes: [node] }))
    const cores = choices.map((list) =>
      list.filter((choice) => !('activation' in choice || 'recurrentActivation' in choice)),
    )
    layers.forEach(({ name }, i) => {
      for (const choice of choices[i].slice(1)) {
        if (this.late()) return
        const fit = attempt({ [name]: choice })
        if (fit !== null) fits.push(fit)
      }
    })
    if (fits.length > 0) return fits
    for (const [i, j] of pairs(layers.map((_, index) => index))) {
      for (const first of cores[i].slice(1)) {
        if (this.late()) return fits
        for (const second of cores[j].slice(1)) {
          const fit = attempt({ [layers[i].name]: first, [layers[j].name]: second })
          if (fit !== null) fits.push(fit)
        }
      }
    }
    return fits
  }

  /** Factors that stand in no table: the one that brings the outputs nearest, if it explains them. */
  private estimatedFactors(): readonly Measured[] {
    const fits: Measured[] = []
    for (const name of hypothesisNames.filter((each) => each.startsWith('scaled-'))) {
      for (const choice of this.core) {
        if (this.late()) return fits
        const reading = readingOf(choice)
        const error = (factor: number): number => {
          const sieve = this.sieve([{ name, value: `${factor}`, layer: null }])
          return sieve?.sift(() => reading).excess ?? Number.POSITIVE_INFINITY
        }
        const factor = leastAt(error)
        for (const value of [
          Number(factor.toPrecision(4)),
          Number(factor.toPrecision(7)),
          factor,
        ]) {
          const quirk: Quirk = { name, value: `${value}`, layer: null }
          const sieve = this.sieve([quirk])
          if (sieve === null) continue
          const fit = this.try(sieve, { ...asItIs, choice, quirks: [quirk] }, () => reading)
          if (fit === null) continue
          fits.push(fit)
          break
        }
      }
    }
    return fits
  }

  /** What else fits one step away from a fit: other values of a convention, or a quirk on top. */
  private neighbours(fits: readonly Measured[]): {
    readonly more: readonly Measured[]
    readonly unseen: SearchResult['unseen']
  } {
    const more: Measured[] = []
    const unseen: { quirk: Quirk; fit: Measured }[] = []
    const known = new Set(fits.map(({ candidate }) => JSON.stringify(candidate)))
    const tryOne = (candidate: Candidate): Measured | null => {
      const id = JSON.stringify(candidate)
      if (known.has(id) || this.late()) return null
      known.add(id)
      const sieve = this.sieve(candidate.quirks)
      if (sieve === null) return null
      const all = readingOf(candidate.choice)
      const own = new Map(
        Object.entries(candidate.layers).map(([layer, choice]) => [layer, readingOf(choice)]),
      )
      return this.try(sieve, candidate, ({ name }) => ({ ...all, ...own.get(name) }))
    }
    for (const { candidate } of fits.slice(0, MOST_FITS)) {
      const named = candidate.quirks.map(({ name }) => name)
      for (const quirk of this.singles) {
        if (named.includes(quirk.name)) continue
        const fit = tryOne({ ...candidate, quirks: inTableOrder([...candidate.quirks, quirk]) })
        if (fit !== null) unseen.push({ quirk, fit })
      }
      if (candidate.quirks.length === 0) continue
      for (const choice of this.product) {
        if (changes(candidate.choice, choice) > 1) continue
        const fit = tryOne({ ...candidate, choice })
        if (fit !== null) more.push(fit)
      }
    }
    return { more, unseen }
  }
}

/** The data behind the quirks' changes of a run, with targets that fit the model's outputs. */
function dataFor(
  model: Model,
  quirks: readonly Quirk[],
  expected: Named<Tensor>,
  sides: Omit<Data, 'targets'>,
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
function measure(
  base: Model,
  candidate: Candidate,
  expected: Named<Tensor>,
  sides: Omit<Data, 'targets'>,
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
    compileSync(model, { precision }).predict(data.inputs, options),
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

function nearestOf(near: readonly Near[]): Near[] {
  return near
    .toSorted((a, b) => b.sifted.steps - a.sifted.steps || a.sifted.excess - b.sifted.excess)
    .slice(0, MOST_NEAR)
}

/** How many conventions two choices differ in; the bias before a reset is none. */
function changes(a: Choice, b: Choice): number {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<GruConventionKey>
  return [...keys].filter((key) => a[key] !== b[key] && !(key === 'bias' && a.reset !== b.reset))
    .length
}

/** All combinations of conventions, the fewest changes first; equal ones by name only once. */
export function conventionProduct(model: Model): readonly Choice[] {
  const nodes = model.nodes.filter(isGru)
  if (nodes.length === 0) return [{}]
  const shared = (key: GruConventionKey): string | null => {
    const [first, ...rest] = nodes.map((node) => conventionOf(node, key))
    return rest.every((value) => value === first) ? first : null
  }
  const options = (key: GruConventionKey, name: Quirk['name']): readonly Choice[] => [
    {},
    ...entryOf(name)
      .values.filter((value) => value !== shared(key))
      .map((value) => ({ [key]: value })),
  ]
  const hasBias = nodes.some(({ weights }) => weights.recurrentBias !== null)
  const keepsReset = shared('reset')
  const placements = options('reset', 'reset').flatMap((reset): readonly Choice[] => {
    if (!hasBias) return [reset]
    const bias = options('bias', 'bias')
    const position = reset.reset ?? keepsReset
    if (position !== 'before') return bias.map((each) => ({ ...reset, ...each }))
    // Before the product there is one place for both biases, whatever it is called.
    if (keepsReset === 'before' || shared('bias') === 'merged') return [reset]
    return [{ ...reset, bias: 'merged' }]
  })
  let product: readonly Choice[] = placements
  for (const [key, name] of [
    ['update', 'update'],
    ['gateOrder', 'gate-order'],
    ['recurrentActivation', 'recurrent-activation'],
    ['activation', 'activation'],
  ] as const) {
    const values = options(key, name)
    product = product.flatMap((choice) => values.map((value) => ({ ...choice, ...value })))
  }
  return product.toSorted(
    (a, b) => departures({ ...asItIs, choice: a }) - departures({ ...asItIs, choice: b }),
  )
}

/** Every quirk that is no convention, with each of its values, on all layers and on each. */
function quirkInstances(model: Model): readonly Quirk[] {
  const layers = model.nodes.filter(isGru).map(({ name }) => name)
  return hypothesisNames.flatMap((name) => {
    const { convention, values, node } = entryOf(name)
    if (convention !== undefined) return []
    const places = node !== undefined && layers.length > 1 ? [null, ...layers] : [null]
    const each: readonly (string | null)[] = values.length === 0 ? [null] : values
    return places.flatMap((layer) => each.map((value) => ({ name, value, layer })))
  })
}

function* pairs<T>(items: readonly T[]): Generator<readonly [T, T]> {
  for (let i = 0; i < items.length; i++)
    for (let j = i + 1; j < items.length; j++) yield [items[i], items[j]]
}

/** Two quirks of different kinds, or of one kind on different layers. */
function* pairsOf(quirks: readonly Quirk[]): Generator<readonly Quirk[]> {
  for (const [a, b] of pairs(quirks)) {
    if (a.name !== b.name || (a.layer !== b.layer && a.layer !== null && b.layer !== null))
      yield [a, b]
  }
}

/** Where a function of a factor is least: a scan over six decades, then golden sections. */
function leastAt(f: (factor: number) => number): number {
  const POINTS = 72
  const at = (i: number): number => 10 ** (-3 + (6 * i) / POINTS)
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i <= POINTS; i++) {
    const value = f(at(i))
    if (value < least) {
      least = value
      best = i
    }
  }
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [at(best - 1), at(best + 1)]
  for (let i = 0; i < 80 && high - low > 1e-16 * high; i++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)]
    if (f(a) <= f(b)) high = b
    else low = a
  }
  return (low + high) / 2
}
