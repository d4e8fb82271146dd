/**
 * Compares two models, or two readings of one, gate by gate on the same input: finds the first
 * value that differs, and the conventions that do.
 */

import { GruvError } from '../errors.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { weightsOf } from '../model/weights.ts'
import { distance, type Named, type TensorLike } from '../tensor.ts'
import { type ConventionDifference, comparedValues, conventionDifferences } from './differences.ts'
import { choosePairs, inputsOf, pairLayers, statesOfSecond } from './pairs.ts'
import { type TraceChunk, type TracedLayer, type TraceOptions, trace } from './trace.ts'
import { titleOf } from './words.ts'

export interface ComparisonOptions extends TraceOptions {
  /**
   * How far apart two numbers may be before they count as different: relative to the larger one,
   * absolute below 1. Default 1e-9: both sides compute in float64, in different orders at most.
   */
  readonly tolerance?: number
}

/** The place where a value first differs between the models. */
export interface ValueDifference {
  readonly layer: string
  /** z, r, n, h … */
  readonly value: string
  readonly row: number
  readonly timestep: number
  /** The number of steps of the row computed before it: the timestep itself in a forward layer. */
  readonly step: number
  readonly unit: number
  readonly first: number
  readonly second: number
}

export interface ValueComparison {
  readonly value: string
  readonly largest: number
  /** The first place where it differs; null where it never does. */
  readonly first: ValueDifference | null
  /** The largest difference at each timestep from `from` on, over all rows and units. */
  readonly overTime: Float64Array
}

export interface LayerComparison {
  readonly layer: string
  /** Its name in the second model. */
  readonly other: string
  /** The first timestep that was compared; 0 unless the caller asked for some only. */
  readonly from: number
  /** Gates, candidate and states in the order of computing. */
  readonly values: readonly ValueComparison[]
  readonly conventions: readonly ConventionDifference[]
  /**
   * Names of the arrays of trained numbers that differ, including those that only one model has.
   */
  readonly weights: readonly string[]
}

export interface ModelComparison {
  readonly first: string
  readonly second: string
  readonly tolerance: number
  readonly layers: readonly LayerComparison[]
  /** In the order of computing, over all layers; null where nothing differs. */
  readonly difference: ValueDifference | null
  /** The result as sentences. */
  readonly words: readonly string[]
}

/**
 * Runs both models over x and compares the gates, candidates and states of their recurrent layers,
 * the first with the first, and so on. Projections are left out: the placement of a bias moves
 * numbers between `xn` and `hn` without changing a gate.
 * @throws GruvError `bad-argument` when the layers differ in kind or units.
 */
export function compareModels(
  first: Model,
  second: Model,
  x: TensorLike | Named<TensorLike>,
  options: ComparisonOptions = {},
): ModelComparison {
  const { tolerance = 1e-9, layers: wanted, ...rest } = options
  const all = pairLayers(first, second)
  const pairs = choosePairs(all, wanted)
  const theirX = inputsOf(second, first, x)
  const { initialState } = rest
  const theirs = {
    ...rest,
    ...(initialState !== undefined && { initialState: statesOfSecond(all, initialState) }),
  }
  const layers = pairs.map(([a, b]): LayerComparison => {
    const traces = [
      trace(first, x, { ...rest, layers: [a.name] }),
      trace(second, theirX, { ...theirs, layers: [b.name] }),
    ]
    const weights = weightDifferences(a, b)
    return {
      layer: a.name,
      other: b.name,
      from: traces[0].layers[0].first,
      values: compareValues(a, traces[0].layers[0], traces[0], traces[1], tolerance),
      conventions: conventionDifferences(a, b, weights.length === 0),
      weights,
    }
  })
  const difference = layers.map(earliest).find((each) => each !== null) ?? null
  const result = { first: first.name, second: second.name, tolerance, layers, difference }
  return { ...result, words: describe(result) }
}

function compareValues(
  node: RecurrentNode,
  { units, rows, steps, first: begin }: TracedLayer,
  first: Iterable<TraceChunk>,
  second: Iterable<TraceChunk>,
  tolerance: number,
): readonly ValueComparison[] {
  const names = comparedValues(node)
  const found = new Map(
    names.map((name) => [
      name,
      { largest: 0, first: null as ValueDifference | null, overTime: new Float64Array(steps) },
    ]),
  )
  const others = second[Symbol.iterator]()
  let compared = 0
  for (const chunk of first) {
    const { value: other, done: short } = others.next()
    if (short || other.first !== chunk.first || other.steps !== chunk.steps) break
    compared += chunk.steps
    const { layer, row } = chunk
    const done =
      node.direction === 'forward' ? chunk.first - begin : begin + steps - chunk.first - chunk.steps
    for (let i = 0; i < chunk.steps; i++) {
      const t = node.direction === 'forward' ? i : chunk.steps - 1 - i
      const at = chunk.first + t - begin
      for (const name of names) {
        const seen = found.get(name)!
        for (let unit = 0; unit < units; unit++) {
          const [a, b] = [
            chunk.values[name][t * units + unit],
            other.values[name][t * units + unit],
          ]
          const gap = distance(a, b)
          if (gap > seen.largest) seen.largest = gap
          if (gap > seen.overTime[at]) seen.overTime[at] = gap
          if (seen.first === null && gap > tolerance * Math.max(1, Math.abs(a), Math.abs(b)))
            seen.first = {
              layer,
              value: name,
              row,
              timestep: chunk.first + t,
              step: done + i,
              unit,
              first: a,
              second: b,
            }
        }
      }
    }
  }
  if (compared !== rows * steps) {
    throw new GruvError('bad-argument', 'the two layers do not see the same timesteps', {
      where: node.name,
      expected: `${rows} rows of ${steps} timesteps in the same direction`,
    })
  }
  return names.map((value) => ({ value, ...found.get(value)! }))
}

/** The earliest difference; of those at one step, the first in the order of computing. */
function earliest({ values }: LayerComparison): ValueDifference | null {
  const firsts = values.flatMap(({ first }) => (first === null ? [] : [first]))
  return firsts.reduce<ValueDifference | null>((best, each) => {
    return best === null || before(each, best) ? each : best
  }, null)
}

function before(a: ValueDifference, b: ValueDifference): boolean {
  return a.row < b.row || (a.row === b.row && a.step < b.step)
}

function weightDifferences(a: RecurrentNode, b: RecurrentNode): readonly string[] {
  const [first, second] = [weightsOf(a), weightsOf(b)]
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])]
  return names.filter((name) => {
    const [x, y] = [first[name]?.data, second[name]?.data]
    if (x === undefined || y === undefined || x.length !== y.length) return true
    return x.some((each, i) => distance(each, y[i]) > 0)
  })
}

function describe({ layers, difference }: Omit<ModelComparison, 'words'>): readonly string[] {
  const conventions = layers.flatMap((layer) => layer.conventions)
  const weights = layers.flatMap(({ layer, weights }) => weights.map((name) => `${layer}.${name}`))
  const sentences: string[] = []
  if (difference === null) sentences.push('No gate and no state differs.')
  else {
    const { layer, value, row, timestep, unit, first, second } = difference
    const { values } = layers.find((each) => each.layer === layer)!
    const shown = digits(first, second)
    const agreeing = values
      .filter((each) => each.first === null || before(difference, each.first))
      .map((each) => each.value)
    sentences.push(
      `The first value that differs is the ${titleOf(value)} of ${layer}, at t = ${timestep}, unit ${unit}${row > 0 ? `, row ${row}` : ''}: ${shown[0]} in the first, ${shown[1]} in the second${agreeing.length > 0 ? ` (${agreeing.join(', ')} still agree there)` : ''}.`,
    )
    const reasons = conventions.filter((each) => each.layer === layer && each.moves.includes(value))
    if (reasons.length > 0)
      sentences.push(
        `What acts on it and differs: ${reasons.map(({ title }) => `the ${title}`).join(', ')}.`,
      )
  }
  if (weights.length > 0) {
    const shown = weights.slice(0, 6).join(', ')
    sentences.push(
      `The trained numbers differ: ${shown}${weights.length > 6 ? ` and ${weights.length - 6} more arrays` : ''}.`,
    )
  } else sentences.push('The trained numbers are the same on both sides.')
  for (const { words } of conventions) sentences.push(`${words[0].toUpperCase()}${words.slice(1)}.`)
  if (conventions.length === 0) sentences.push('No convention differs.')
  return sentences
}

/** Six digits; all of them where fewer would hide the difference. */
function digits(a: number, b: number): readonly [string, string] {
  const [first, second] = [a, b].map((each) => String(Number(each.toPrecision(6))))
  return first === second ? [String(a), String(b)] : [first, second]
}
