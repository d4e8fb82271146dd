/**
 * Computes statistics of the gates in a trace: in one pass, in memory that depends on the units
 * only.
 *
 * Definitions:
 * - **Saturated**: a gate below 0.1 (*left*) or above 0.9 (*right*), as a share of the timesteps.
 *   Karpathy, Johnson and Fei-Fei 2015 (arXiv:1506.02078), section 4.2.
 * - **Memory** of a unit, in timesteps: −1 / mean(ln keep), where keep is the share of the old
 *   state that a step carries over: z, or 1 − z where z updates; f in an LSTM. With a constant gate, a
 *   value would fade to 1/e in that time. Tallec and Ollivier 2018 (arXiv:1804.11188) read gates as
 *   the inverse of a characteristic time. The logarithms are averaged because the shares of
 *   successive steps multiply. What returns through the recurrent kernel is not counted.
 * - **Dead**: a unit whose state moves less than a thousandth as much as the most active unit's.
 * - **Duplicate**: a unit whose state correlates with that of an earlier one by at least 0.999 in
 *   absolute value, over at most 1,024 timesteps spread evenly over the trace.
 */

import { GruvError } from '../errors.ts'
import { isRecurrent } from '../model/layers.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import type { Named } from '../tensor.ts'
import { Duplicates } from './duplicates.ts'
import type { Trace, TraceChunk, TracedLayer } from './trace.ts'

const SATURATED = { left: 0.1, right: 0.9 } as const
const DEAD = 1e-3
/** Bins of a histogram, over the range from 0 to 1 of a gate, −1 to 1 of a candidate or state. */
const BINS = 20

/** Numbers for each unit. */
export interface UnitStatistics {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
  readonly min: readonly number[]
  readonly max: readonly number[]
  /** Shares of all numbers of all units, from the low end of the range to the high one. */
  readonly histogram: readonly number[]
  readonly range: readonly [low: number, high: number]
}

export interface GateStatistics extends UnitStatistics {
  /** The share of timesteps in which the gate of each unit is below 0.1. */
  readonly left: readonly number[]
  /** … and above 0.9. */
  readonly right: readonly number[]
}

export interface CandidateStatistics extends UnitStatistics {
  /** The mean of |n| (|g|) of each unit: the size of its candidate. */
  readonly activity: readonly number[]
}

/** What statistics are of: all timesteps from the first to the last, of these rows. */
export interface StatisticsScope {
  /** The rows of the caller's input; a trace of one row in part of a batch has its number. */
  readonly rows: readonly [first: number, last: number]
  readonly timesteps: readonly [first: number, last: number]
}

export interface LayerStatistics {
  readonly layer: string
  readonly kind: RecurrentNode['kind']
  readonly units: number
  /** Rows and timesteps that were traced; those masked are left out, and counted in `skipped`. */
  readonly scope: StatisticsScope
  /** Steps of all rows that were computed. */
  readonly steps: number
  /** Steps that were masked, or in which something is not a number. */
  readonly skipped: number
  /** z and r; i, f and o; none of a simple RNN. */
  readonly gates: Named<GateStatistics>
  /** n or g. */
  readonly candidate: (CandidateStatistics & { readonly name: string }) | null
  readonly state: UnitStatistics
  /** In timesteps, for each unit; Infinity where nothing is ever forgotten. null without gates. */
  readonly memory: readonly number[] | null
  readonly dead: readonly number[]
  readonly duplicates: readonly {
    readonly unit: number
    readonly of: number
    /** Negative where one is the mirror of the other. */
    readonly correlation: number
  }[]
}

interface Roles {
  readonly gates: readonly string[]
  readonly candidate: string | null
  /** In the order of computing; the last one is the layer's output. */
  readonly states: readonly string[]
}

const roles: Readonly<Record<RecurrentNode['kind'], Roles>> = {
  gru: { gates: ['z', 'r'], candidate: 'n', states: ['h'] },
  lstm: { gates: ['i', 'f', 'o'], candidate: 'g', states: ['c', 'h'] },
  rnn: { gates: [], candidate: null, states: ['h'] },
}

/** The gates, the candidate and the states of a layer, by the names of a trace. */
export function rolesOf({ kind }: Pick<RecurrentNode, 'kind'>): Roles {
  return roles[kind]
}

/** Statistics of every layer of a trace, in one pass. */
export function statistics(model: Model, traced: Trace): readonly LayerStatistics[] {
  const gathering = new Map(
    traced.layers.map((layer) => [layer.name, new GatherStatistics(model, layer)]),
  )
  for (const chunk of traced) gathering.get(chunk.layer)!.add(chunk)
  return [...gathering.values()].map((each) => each.result())
}

/** Statistics of one layer, for callers that read the chunks of a trace themselves. */
export class GatherStatistics {
  private readonly layer: TracedLayer
  private readonly firstRow: number
  private readonly keeps: (values: Named<Float64Array>, i: number) => number
  private readonly gates: ReadonlyMap<string, Moments>
  private readonly candidate: Moments | null
  private readonly state: Moments
  private readonly logKeep: Float64Array
  private readonly duplicates: Duplicates
  private readonly needed: readonly string[]
  private steps = 0
  private skipped = 0

  /** @param firstRow the number of the first traced row in the caller's input. */
  constructor(model: Model, layer: TracedLayer, firstRow = 0) {
    const node = model.nodes.filter(isRecurrent).find(({ name }) => name === layer.name)
    if (node === undefined) {
      throw new GruvError('not-found', 'this trace is not of this model', {
        where: model.name,
        expected: `a recurrent layer '${layer.name}'`,
      })
    }
    const { gates, candidate } = rolesOf(node)
    const { units } = layer
    this.layer = layer
    this.firstRow = firstRow
    this.keeps = keepOf(node)
    this.gates = new Map(gates.map((gate) => [gate, new Moments(units, [0, 1])]))
    this.candidate = candidate === null ? null : new Moments(units, [-1, 1])
    this.state = new Moments(units, [-1, 1])
    this.logKeep = new Float64Array(units)
    this.duplicates = new Duplicates(units)
    this.needed = [...gates, ...(candidate === null ? ['hh'] : [candidate]), 'h']
  }

  add({ values, steps }: TraceChunk): void {
    const { units } = this.layer
    const { candidate } = rolesOf(this.layer)
    for (let t = 0; t < steps; t++) {
      const from = t * units
      if (!this.isComplete(values, from)) {
        this.skipped++
        continue
      }
      this.steps++
      for (const [gate, moments] of this.gates) moments.add(values[gate], from)
      if (candidate !== null) this.candidate!.add(values[candidate], from)
      this.state.add(values.h, from)
      for (let u = 0; u < units; u++) this.logKeep[u] += Math.log(this.keeps(values, from + u))
      this.duplicates.add(values.h, from)
    }
  }

  result(): LayerStatistics {
    const { name, kind, units, rows, first, steps } = this.layer
    const { candidate } = rolesOf(this.layer)
    const state = this.state.result()
    const spans = state.max.map((max, u) => max - state.min[u])
    const liveliest = Math.max(...spans)
    const dead = spans.flatMap((span, u) => (this.steps > 1 && span <= DEAD * liveliest ? [u] : []))
    return {
      layer: name,
      kind,
      units,
      scope: {
        rows: [this.firstRow, this.firstRow + rows - 1],
        timesteps: [first, first + steps - 1],
      },
      steps: this.steps,
      skipped: this.skipped,
      gates: Object.fromEntries(
        [...this.gates].map(([gate, moments]) => [
          gate,
          { ...moments.result(), left: moments.shares('left'), right: moments.shares('right') },
        ]),
      ),
      candidate:
        candidate === null
          ? null
          : {
              name: candidate,
              ...this.candidate!.result(),
              activity: this.candidate!.meanAbsolute(),
            },
      state,
      memory:
        candidate === null
          ? null
          : Array.from(this.logKeep, (sum) => memoryOf(sum / Math.max(this.steps, 1))),
      dead,
      duplicates: this.duplicates.result(new Set(dead)),
    }
  }

  private isComplete(values: Named<Float64Array>, from: number): boolean {
    for (const name of this.needed) {
      const numbers = values[name]
      for (let u = from; u < from + this.layer.units; u++)
        if (Number.isNaN(numbers[u])) return false
    }
    return true
  }
}

/** The share of the old state that a step carries over. */
function keepOf(node: RecurrentNode): (values: Named<Float64Array>, i: number) => number {
  if (node.kind === 'lstm') return ({ f }, i) => f[i]
  if (node.kind === 'rnn') return () => 1
  return node.update === 'keeps' ? ({ z }, i) => z[i] : ({ z }, i) => 1 - z[i]
}

/** Gates other than sigmoids may keep 0 (−∞) or a negative share (NaN): no memory in both cases. */
function memoryOf(meanLog: number): number {
  if (Number.isNaN(meanLog)) return 0
  return meanLog >= 0 ? Number.POSITIVE_INFINITY : -1 / meanLog
}

/** Mean, deviation, extremes and a histogram of successive vectors. */
class Moments {
  private readonly units: number
  private readonly range: readonly [number, number]
  private count = 0
  private readonly mean: Float64Array
  private readonly squares: Float64Array
  private readonly absolute: Float64Array
  private readonly min: Float64Array
  private readonly max: Float64Array
  private readonly left: Float64Array
  private readonly right: Float64Array
  private readonly bins = new Float64Array(BINS)

  constructor(units: number, range: readonly [number, number]) {
    this.units = units
    this.range = range
    this.mean = new Float64Array(units)
    this.squares = new Float64Array(units)
    this.absolute = new Float64Array(units)
    this.min = new Float64Array(units).fill(Number.POSITIVE_INFINITY)
    this.max = new Float64Array(units).fill(Number.NEGATIVE_INFINITY)
    this.left = new Float64Array(units)
    this.right = new Float64Array(units)
  }

  /** Welford 1962: nothing cancels, however long the trace. */
  add(values: Float64Array, from: number): void {
    const [low, high] = this.range
    this.count++
    for (let u = 0; u < this.units; u++) {
      const value = values[from + u]
      const deviation = value - this.mean[u]
      this.mean[u] += deviation / this.count
      this.squares[u] += deviation * (value - this.mean[u])
      this.absolute[u] += Math.abs(value)
      if (value < this.min[u]) this.min[u] = value
      if (value > this.max[u]) this.max[u] = value
      if (value < SATURATED.left) this.left[u]++
      if (value > SATURATED.right) this.right[u]++
      const bin = Math.floor(((value - low) / (high - low)) * BINS)
      this.bins[Math.min(BINS - 1, Math.max(0, bin))]++
    }
  }

  result(): UnitStatistics {
    const count = Math.max(this.count, 1)
    return {
      mean: Array.from(this.mean),
      deviation: Array.from(this.squares, (each) => Math.sqrt(each / count)),
      min: Array.from(this.min),
      max: Array.from(this.max),
      histogram: Array.from(this.bins, (each) => each / (count * this.units)),
      range: this.range,
    }
  }

  shares(side: 'left' | 'right'): readonly number[] {
    return Array.from(this[side], (each) => each / Math.max(this.count, 1))
  }

  meanAbsolute(): readonly number[] {
    return Array.from(this.absolute, (each) => each / Math.max(this.count, 1))
  }
}
