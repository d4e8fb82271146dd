/**
 * Plants mistakes in models and determines the right diagnosis.
 *
 * The truth is found without any search: every hypothesis and every pair of them is run on all the
 * data, and those that give the planted numbers fit. A rich random input with an initial state
 * decides which fits are equivalent.
 */

import { type Convention, conventionOf } from '../../src/diagnose/change.ts'
import {
  applyQuirks,
  type Diagnosis,
  diagnose,
  type HypothesisName,
  hypothesisTable,
  parseQuirk,
  withRunQuirks,
} from '../../src/diagnose/index.ts'
import { compileSync, isGruvError } from '../../src/index.ts'
import { isRecurrent, type Model, statesOf } from '../../src/model/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { deriveTolerance } from '../../src/verify/tolerance.ts'
import { random, tensor } from './random.ts'

/** Quirks in the order of the table, as text: `reset=before`, `lost-column@gru`. */
export type Reading = readonly string[]

export interface Data {
  readonly input: Tensor
  readonly initialState?: Named<Tensor>
}

/** Relative to the scale, float64 numbers that differ by more are not just rounded differently. */
const SAME = 1e-12

/** Larger than every tolerance of these cases. */
const FAR = 1e-8

const names = Object.keys(hypothesisTable) as readonly HypothesisName[]
const nameOf = (quirk: string): HypothesisName => parseQuirk(quirk).name
const isConvention = (quirk: string): boolean => 'convention' in hypothesisTable[nameOf(quirk)]
const sorted = (reading: Reading): Reading =>
  reading.toSorted(
    (a, b) => names.indexOf(nameOf(a)) - names.indexOf(nameOf(b)) || (a < b ? -1 : 1),
  )

/** Mistakes that are tried by themselves, and not asked for beside a fit. */
const isAlone = (quirk: string): boolean => 'alone' in hypothesisTable[nameOf(quirk)]

/** Everything that can be planted on all layers of a model. */
const mistakes: readonly string[] = names.flatMap((name) => {
  const { values, takes }: { readonly values: readonly string[]; readonly takes?: string } =
    hypothesisTable[name]
  // A count that comes from the data: three steps.
  if (takes === 'count') return [`${name}=3`]
  return values.length === 0 ? [name] : values.map((value) => `${name}=${value}`)
})

/** Whether a change of a run has an effect. */
const needs: Readonly<Record<string, (data: Data, overTime: boolean) => boolean>> = {
  reversed: ({ input }) => input.shape[1] > 1,
  backwards: ({ input }, overTime) => input.shape[1] > 1 && overTime,
  stateless: ({ input }) => input.shape[1] > 1,
  'time-batch-swapped': ({ input }, overTime) =>
    input.shape[0] > 1 && input.shape[1] > 1 && overTime,
  'state-carried-over-rows': ({ input }, overTime) => input.shape[0] > 1 && overTime,
  'state-reset': ({ input }) => input.shape[1] > 3,
  'first-step-without-bias': ({ input }) => input.shape[1] > 1,
  'initial-state-ignored': ({ initialState }) => initialState !== undefined,
}

/** Whether a quirk sets a convention to the value that the model has anyway. */
function saysNothing(model: Model, quirk: string): boolean {
  const { name, value } = parseQuirk(quirk)
  const entry: Partial<Record<'convention', Convention>> & { readonly title: string } =
    hypothesisTable[name]
  if (entry.convention === undefined) return false
  return model.nodes.every(
    (node) => !isRecurrent(node) || [value, null].includes(conventionOf(node, entry.convention!)),
  )
}

/** A model with data, and its outputs under every mistake. */
export class Ground {
  readonly model: Model
  readonly data: Data
  /** The mistakes that can be planted: those that change the model or the run. */
  readonly mistakes: readonly string[]
  /** All pairs of them that do not contradict each other. */
  readonly pairs: readonly Reading[]
  readonly layers: readonly string[]
  private readonly onData = new Map<string, Float64Array | null>()
  /** Small and usual inputs, and some that drive every activation out of its linear middle. */
  private readonly anything: readonly {
    readonly data: Data
    readonly known: Map<string, Float64Array | null>
  }[]

  /** @param mostScaled larger factors saturate the gates of usual weights, which hides mistakes. */
  constructor(model: Model, data: Data, mostScaled = 10) {
    this.model = model
    this.data = data
    this.anything = [
      { rows: 4, steps: 9, scale: 1.5 },
      { rows: 9, steps: 2, scale: 6 },
      { rows: 9, steps: 2, scale: 150 },
      { rows: 9, steps: 2, scale: 4000 },
    ].map(({ rows, steps, scale }) => ({
      data: richData(model, rows, steps, 4711, scale),
      known: new Map<string, Float64Array | null>(),
    }))
    this.layers = model.nodes.filter(isRecurrent).map(({ name }) => name)
    const overTime = model.outputs[0].shape.includes('time')
    this.mistakes = mistakes.filter(
      (quirk) =>
        !saysNothing(model, quirk) &&
        !(quirk.startsWith('scaled-') && Number(parseQuirk(quirk).value) > mostScaled) &&
        (needs[quirk]?.(data, overTime) ?? true) &&
        this.tells([quirk]),
    )
    this.pairs = this.mistakes.flatMap((a, i) =>
      this.mistakes.slice(i + 1).flatMap((b) => {
        const apart = [a, b].some(isAlone) && ![a, b].some(isConvention)
        return nameOf(a) === nameOf(b) || apart ? [] : [[a, b]]
      }),
    )
  }

  /** The model's outputs under a reading; null where it has no effect. */
  response(reading: Reading): Float64Array | null {
    return cached(this.onData, reading, () => run(this.model, reading, this.data))
  }

  /** Numbers that outgrow the digits of float64 show nothing. */
  tells(reading: Reading): boolean {
    const response = this.response(reading)
    return response !== null && scaleOf(response) < 1e3
  }

  /** Whether a reading gives the planted numbers, within twice what rounding explains. */
  fits(reading: Reading, planted: Reading): boolean {
    const response = this.response(reading)
    const expected = this.response(planted)!
    if (response === null || response.length !== expected.length) return false
    const error = largestDifference(response, expected)
    if (error === 0 || !(error < FAR * scaleOf(expected))) return error === 0
    // Saturated gates come near, so the tolerance itself must decide.
    const single = run(this.model, reading, this.data, 'f32')!
    const tolerance = deriveTolerance({
      expected: { shape: [expected.length], data: expected },
      precision: 'f64',
      float32Error: largestDifference(response, single),
      approximated: true,
    })
    return expected.every((value, i) => Math.abs(value - response[i]) <= 2 * tolerance.at(value))
  }

  /** Whether two readings compute the same for everything. */
  same(a: Reading, b: Reading): boolean {
    return this.anything.every(({ data, known }) => {
      const [one, other] = [a, b].map((reading) =>
        cached(known, reading, () => run(this.model, reading, data)),
      )
      if (one === null || other === null) return false
      // Numbers that grow without bound have no digits left to compare.
      const scales = [scaleOf(one), scaleOf(other)]
      return scales.every((scale) => !(scale < 1e6)) || close(one, other)
    })
  }

  /** The first reading of each class. */
  classes(readings: readonly Reading[]): readonly Reading[] {
    const found: Reading[] = []
    for (const reading of readings)
      if (!found.some((other) => this.same(other, reading))) found.push(reading)
    return found
  }

  diagnose(planted: Reading): Diagnosis {
    return diagnose(this.model, {
      ...this.data,
      expected: this.expected(planted),
      conventionFlags: false,
    })
  }

  expected(planted: Reading): Tensor {
    const data = this.response(planted)!
    const rows = this.data.input.shape.slice(0, -2)
    const [port] = this.model.outputs
    const steps = port.shape.includes('time') ? [this.data.input.shape.at(-2)!] : []
    const width = data.length / [...rows, ...steps].reduce((a, b) => a * b, 1)
    return { shape: [...rows, ...steps, width], data }
  }
}

interface Truth {
  /** Representatives of the classes of readings that a diagnosis must name. */
  readonly candidates: readonly Reading[]
  /** Mistakes that could be added without being seen. */
  readonly unseen: readonly string[]
  /** Whether all fits are equivalent. */
  readonly told: boolean
}

/** Finds what fits by running it. */
function truthOf(ground: Ground, planted: Reading): Truth {
  const fits = (reading: Reading): boolean => ground.fits(reading, planted)
  const few = [[], ...ground.mistakes.map((each) => [each]), ...ground.pairs].filter(fits)
  const least = Math.min(...few.map((reading) => reading.length))
  const reached = few.filter((reading) => reading.length === least)
  // Conventions that the data does not show can be changed in a fit.
  for (let i = 0; i < reached.length; i++) {
    for (const other of conventionAway(ground, reached[i]))
      if (fits(other) && !reached.some((known) => `${known}` === `${other}`)) reached.push(other)
  }
  // In a stack, also for one layer alone.
  const layers = ground.layers.length > 1 ? ground.layers : []
  const ofOneLayer = reached.flatMap((reading) =>
    ground.mistakes.filter(isConvention).flatMap((quirk) => {
      const mistakesOnly = reading.findIndex((each) => !isConvention(each))
      const at = mistakesOnly < 0 ? reading.length : mistakesOnly
      return layers.map((layer) => reading.toSpliced(at, 0, `${quirk}@${layer}`))
    }),
  )
  reached.push(...ofOneLayer.filter(fits))
  const candidates = ground.classes(reached)
  const unseen = new Set<string>()
  const onTop: Reading[] = []
  for (const reading of reached) {
    for (const mistake of ground.mistakes.filter((each) => !isConvention(each) && !isAlone(each))) {
      if (reading.some((quirk) => nameOf(quirk) === nameOf(mistake))) continue
      const more = sorted([...reading, mistake])
      if (!fits(more) || candidates.some((known) => ground.same(known, more))) continue
      unseen.add(mistake)
      onTop.push(more)
    }
  }
  return {
    candidates,
    unseen: [...unseen],
    told: ground.classes([...reached, ...few, ...onTop]).length === 1,
  }
}

/** The faults of a diagnosis, given the truth; empty when it is right. */
export function complaints(ground: Ground, planted: Reading): readonly string[] {
  const { verdict, candidates, toTellApart } = ground.diagnose(planted)
  const truth = truthOf(ground, planted)
  const answer = candidates.map(({ flags }) => readingOf(flags))
  const compensating = (toTellApart?.compensating ?? []).map(({ flags }) => readingOf(flags))
  const wrong: string[] = []
  const show = (reading: Reading): string => `[${reading.join(' ')}]`
  const has = (list: readonly Reading[], reading: Reading): boolean =>
    list.some((each) => ground.same(each, reading))
  if (verdict !== (truth.told ? 'identified' : 'ambiguous'))
    wrong.push(`the verdict is ${verdict}, but the data can ${truth.told ? '' : 'not '}tell`)
  if (truth.told && !ground.same(answer[0], planted)) wrong.push(`${show(answer[0])} comes first`)
  for (const reading of truth.candidates)
    if (!has(answer, reading)) wrong.push(`${show(reading)} is missing`)
  for (const reading of answer)
    if (!has(truth.candidates, reading)) wrong.push(`${show(reading)} is too many`)
  if (ground.classes(answer).length < answer.length) wrong.push('one class is named twice')
  for (const reading of compensating) {
    if (!ground.fits(reading, planted)) wrong.push(`${show(reading)} compensates nothing`)
    if (has(truth.candidates, reading)) wrong.push(`${show(reading)} is a candidate`)
  }
  // One step shows nothing that happens from step to step, but an ambiguous answer says so.
  const oneStep = ground.data.input.shape[1] === 1
  const ofTime = oneStep ? ['reversed', 'stateless'] : []
  if (oneStep && ground.model.outputs[0].shape.includes('time')) ofTime.push('backwards')
  const named = (toTellApart?.unseen ?? []).map(({ quirk }) => quirk)
  for (const quirk of verdict === 'ambiguous' ? ofTime : [])
    if (!named.includes(quirk)) wrong.push(`one step cannot show ${quirk}, and that is not said`)
  const unseen = (toTellApart?.unseen ?? [])
    .map(({ quirk }) => quirk)
    .filter((quirk) => !quirk.includes('@') && !ofTime.includes(quirk))
  for (const quirk of truth.unseen)
    if (!unseen.includes(quirk)) wrong.push(`${quirk} is unseen, and is not named`)
  for (const quirk of unseen)
    if (!truth.unseen.includes(quirk)) wrong.push(`${quirk} is named as unseen`)
  return wrong.map((each) => `${show(planted)}: ${each}`)
}

function conventionAway(ground: Ground, reading: Reading): readonly Reading[] {
  return ground.mistakes.filter(isConvention).flatMap((quirk) => {
    const others = reading.filter((each) => nameOf(each) !== nameOf(quirk))
    return [sorted(others), sorted([...others, quirk])]
  })
}

/** `--quirk a --quirk "b=c(d, e)"` as a reading. */
function readingOf(flags: string): Reading {
  return [...flags.matchAll(/--quirk (?:"([^"]*)"|(\S+))/g)].map(([, long, short]) => long ?? short)
}

export function richData(
  model: Model,
  rows: number,
  steps: number,
  seed: number,
  scale = 1.5,
): Data {
  const next = random(seed)
  const features = model.inputs[0].shape.at(-1) as number
  const states = model.nodes.flatMap(statesOf)
  return {
    input: tensor(next, [rows, steps, features], scale),
    initialState: Object.fromEntries(
      states.map(({ name, size }) => [name, tensor(next, [size], 0.8)]),
    ),
  }
}

function run(
  model: Model,
  reading: Reading,
  { input, initialState }: Data,
  precision: 'f32' | 'f64' = 'f64',
): Float64Array | null {
  let changed = model
  try {
    for (const quirk of reading) changed = applyQuirk(changed, quirk)
  } catch {
    return null
  }
  const program = withRunQuirks(compileSync(changed, { precision, engine: 'js' }), reading)
  try {
    const { y } = program.predict(input, initialState ? { initialState } : {})
    return Float64Array.from(y.data)
  } catch (error) {
    // Not every change of a run is possible with every model.
    if (isGruvError(error)) return null
    throw error
  }
}

/** A convention without effect is no change; any other quirk without effect is an error. */
function applyQuirk(model: Model, quirk: string): Model {
  try {
    return applyQuirks(model, [quirk])
  } catch (error) {
    if (isConvention(quirk)) return model
    throw error
  }
}

/** Whether two responses are equal up to the rounding of float64. */
function close(a: Float64Array, b: Float64Array): boolean {
  return (
    a.length === b.length &&
    largestDifference(a, b) <= SAME * Math.max(1, Math.min(scaleOf(a), scaleOf(b)))
  )
}

/** NaN equals NaN, and an infinity itself. */
function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((worst, value, i) => {
    const difference = Object.is(value, b[i]) ? 0 : Math.abs(value - b[i])
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference)
  }, 0)
}

const scaleOf = (values: Float64Array): number =>
  values.reduce((scale, value) => Math.max(scale, Math.abs(value)), 0)

function cached<T>(known: Map<string, T>, reading: Reading, make: () => T): T {
  const key = reading.join(' ')
  if (!known.has(key)) known.set(key, make())
  return known.get(key)!
}
