/** The section about what an output depends on: a picture of one unit, a table of several. */

import { isGruvError } from '../errors.ts'
import { isRecurrent } from '../model/layers.ts'
import { summarize } from '../model/summary.ts'
import type { Model } from '../model/types.ts'
import type { Named, TensorLike } from '../tensor.ts'
import {
  type InputJacobian,
  type InputJacobianOptions,
  inputJacobian,
  type TracedLayer,
} from '../trace/index.ts'
import type { GatherOptions } from './gather.ts'
import { heatmap, symmetric } from './heatmap.ts'
import { figure, list, type Markup, paragraph, type Section, table } from './page.ts'
import { type Scene, short } from './scene.ts'

/** Longer sequences go without, since the whole sequence is needed at once. */
const MOST_STEPS = 20_000
/** Multiplications (parameters × timesteps × units) that take some seconds. */
const MOST_PRODUCTS = 4e9
/** The most units of the output in the table. */
const MOST_OUTPUTS = 8
/** Steps that are shown: the last ones up to the output's step, or up to the last that matters. */
const SHOWN_STEPS = 64

export async function dependenceSection(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  layers: readonly TracedLayer[],
  given: Omit<GatherOptions, 'chunk'>,
): Promise<Section> {
  const section = (...content: readonly Markup[]): Section => ({
    id: 'dependence',
    title: 'What the output depends on',
    content: content.join('\n'),
  })
  const longest = Math.max(...layers.map(({ first, steps }) => first + steps))
  if (longest > MOST_STEPS) {
    return section(
      paragraph(
        `Left out: the input has more than ${MOST_STEPS.toLocaleString('en')} timesteps. Cut it to see this.`,
      ),
    )
  }
  const affordable = Math.floor(MOST_PRODUCTS / (summarize(model).parameters * longest))
  if (affordable === 0) {
    return section(
      paragraph('Left out: for a model and an input so large it would take long. Cut the input.'),
    )
  }
  const [{ name: output, shape }] = model.outputs
  const width = shape.at(-1)
  const count = Math.min(typeof width === 'number' ? width : 1, MOST_OUTPUTS, affordable)
  const { steps } = given
  const options = {
    ...given,
    units: Array.from({ length: count }, (_, unit) => unit),
    ...(steps?.[1] !== undefined && shape.includes('time') && { at: steps[1] - 1 }),
  }
  const arriving = model.nodes
    .filter(isRecurrent)
    .filter(({ name }) => layers.some((layer) => layer.name === name))
    .map(({ inputs }) => inputs.x)
  const found = firstKnown(model, x, [undefined, ...arriving], options)
  if (typeof found === 'string') return section(paragraph(`There is none here: ${found}.`))
  const units = Array.from(found.units, (_, i) => look(found, i))
  const liveliest = units.reduce((best, each) => (each.total > best.total ? each : best))
  return section(
    paragraph(
      `The derivative of the output by everything that came in, exact, by the chain rule through every layer and step: where it is orange, a larger number there makes the output larger; where it is blue, smaller.`,
      ...(found.why === undefined ? [] : [`By ${found.by}, since ${found.why}.`]),
    ),
    count === 1 ? list(sentences(found, liveliest)) : outputsTable(found, units, width),
    await figure(
      picture(found, liveliest),
      'dependence-map',
      `${count > 1 ? `Unit ${liveliest.unit} of ${output}, the one that depends most. ` : ''}Features go down, timesteps across; the lightest colour is no dependence.`,
    ),
  )
}

interface Found extends InputJacobian {
  /** Why it is not with respect to the input itself. */
  readonly why?: string
}

/**
 * The derivative with respect to the input, or else to the input of the first layer for which it
 * exists; the reason where there is none.
 */
function firstKnown(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  candidates: readonly (string | undefined)[],
  options: InputJacobianOptions,
): Found | string {
  let why = 'the input has no timesteps and features'
  for (const by of candidates) {
    try {
      const found = inputJacobian(model, x, { ...options, ...(by !== undefined && { by }) })
      if (found.jacobian.shape.length === 3)
        return { ...found, ...(by !== undefined && by !== model.inputs[0].name && { why }) }
    } catch (error) {
      if (!isGruvError(error)) throw error
      why = error.where === undefined ? error.problem : `${error.problem} (${error.where})`
    }
  }
  return why
}

/** The derivatives of one unit of the output. */
interface Look {
  readonly unit: number
  /** [timesteps, features] */
  readonly data: Float64Array
  /** The sum of all magnitudes, and the sum for each timestep. */
  readonly total: number
  readonly size: readonly number[]
  /** The derivative of the largest magnitude. */
  readonly strongest: { readonly value: number; readonly feature: number; readonly t: number }
  /** The timestep after the last one that matters. */
  readonly end: number
}

function look({ at, units, jacobian }: InputJacobian, i: number): Look {
  const [, steps, features] = jacobian.shape
  const from = i * steps * features
  const data = Float64Array.from(jacobian.data.subarray(from, from + steps * features))
  const size = Array.from({ length: steps }, (_, t) =>
    data.subarray(t * features, (t + 1) * features).reduce((sum, each) => sum + Math.abs(each), 0),
  )
  const place = data.reduce(
    (best, each, j) => (Math.abs(each) > Math.abs(data[best]) ? j : best),
    0,
  )
  return {
    unit: units[i],
    data,
    size,
    total: size.reduce((sum, each) => sum + each, 0),
    strongest: {
      value: data[place],
      feature: place % features,
      t: Math.floor(place / features),
    },
    end: Math.min(steps, Math.max(at === null ? steps : at + 1, lastNonZero(size) + 1)),
  }
}

function sentences(found: InputJacobian, { total, strongest, ...rest }: Look): readonly string[] {
  const { output, at, by } = found
  const place = `${output}${at === null ? '' : ` at t = ${at}`}`
  if (total === 0) return [`Nothing that comes in moves ${place}: every derivative is 0.`]
  const { feature, t } = strongest
  return [
    `${place} depends most on feature ${feature} of ${by} at t = ${t}: a change of 0.01 there moves it by about ${change(strongest.value)}.`,
    `Nine tenths of all dependence lies within the last ${within({ total, ...rest })} of ${rest.end} timesteps.`,
  ]
}

function outputsTable(found: InputJacobian, units: readonly Look[], width: unknown): Markup {
  const { output, at, by } = found
  const which = units.length === width ? 'Every unit' : `The first ${units.length} units`
  return table(
    `${which} of ${output}${at === null ? '' : ` at t = ${at}`}: what of ${by} moves it most`,
    [
      'unit',
      'feature',
      'at t',
      'a change of 0.01 there moves it by',
      'nine tenths within the last',
    ],
    units.map((each) => {
      if (each.total === 0) return [String(each.unit), 'none', '', '0', '']
      const { feature, t, value } = each.strongest
      const last = `${within(each)} of ${each.end} timesteps`
      return [String(each.unit), String(feature), String(t), change(value), last]
    }),
  )
}

function change(derivative: number): string {
  return short(Number((0.01 * derivative).toPrecision(2)))
}

function picture({ output, by, at, jacobian }: InputJacobian, { unit, data, end }: Look): Scene {
  const [, , features] = jacobian.shape
  const begin = Math.max(0, end - SHOWN_STEPS)
  const shown = end - begin
  const values = new Float64Array(shown * features)
  for (let t = 0; t < shown; t++)
    for (let f = 0; f < features; f++) values[f * shown + t] = data[(begin + t) * features + f]
  const place = `${output}, unit ${unit}${at === null ? '' : ` at t = ${at}`}`
  return heatmap({
    title: `∂(${output}, unit ${unit}) / ∂${by}`,
    description: `Heatmap of the derivative of ${place} by each of ${features} features at timesteps ${begin} to ${end - 1}.`,
    values,
    rows: features,
    columns: shown,
    ramp: 'diverging',
    range: symmetric(values),
    down: 'feature',
    across: { title: 'timestep', from: begin, to: end },
    reduce: 'extreme',
  })
}

function lastNonZero(size: readonly number[]): number {
  let t = size.length - 1
  while (t > 0 && size[t] === 0) t--
  return t
}

/** How many of the steps before `end` hold nine tenths of the sum. */
function within({ size, total, end }: Pick<Look, 'size' | 'total' | 'end'>): number {
  let sum = 0
  let count = 0
  while (count < end && sum < 0.9 * total) sum += size[end - ++count]
  return count
}
