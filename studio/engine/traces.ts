/**
 * Traces one row of one layer while the page already shows the first steps. Every value is kept in
 * float64 and reduced for drawing.
 */

import type { Model, Named, Tensor } from '../../src/index.ts'
import { isRecurrent, statesOf } from '../../src/model/index.ts'
import { describeStatistics, GatherStatistics, type Trace, trace } from '../../src/trace/index.ts'
import type { StatisticsAnswer, StepValues, Strip, TraceInfo, View } from './protocol.ts'

/** The memory that a trace may take: 64 units over 100,000 steps, and a margin. */
const MAX_BYTES = 640e6
/** How long the worker computes before it handles messages of the page again. */
const LISTEN_EVERY_MS = 30
/** The number of values that a step computes for a unit. */
const valueCounts = { gru: 10, lstm: 14, rnn: 3 } as const

export class LiveTrace {
  readonly info: TraceInfo
  /** Steps that are computed: the first ones, or the last ones of a backward layer. */
  done = 0
  readonly #trace: Trace
  readonly #statistics: GatherStatistics
  readonly #x: Tensor | null
  readonly #forward: boolean
  readonly #values: Readonly<Record<string, Float64Array>>
  readonly #slots: readonly string[]
  /** The initial states: zeros, unless the model has others. */
  #initial: Readonly<Record<string, Float64Array>> = {}
  #stopped = false

  /** @param input of this row alone, with all axes. */
  constructor(model: Model, input: Named<Tensor>, layer: string, row: number, x: Tensor | null) {
    const node = model.nodes.filter(isRecurrent).find(({ name }) => name === layer)!
    const allSteps = stepsOf(model, input)
    const most = Math.floor(MAX_BYTES / (8 * node.units * valueCounts[node.kind]))
    this.#trace = trace(model, allSteps > most ? firstSteps(model, input, most) : input, {
      layers: [layer],
    })
    const [traced] = this.#trace.layers
    const { units, steps, values, kind, direction } = traced
    this.#statistics = new GatherStatistics(model, traced, row)
    this.info = { layer, kind, row, units, steps, allSteps, values }
    this.#x = x
    this.#forward = direction === 'forward'
    this.#values = Object.fromEntries(values.map((name) => [name, new Float64Array(steps * units)]))
    this.#slots = statesOf(node).map(({ name }) => name.slice(name.lastIndexOf('.') + 1))
  }

  stop(): void {
    this.#stopped = true
  }

  /** Runs until everything is computed or `stop` is called. */
  async fill(onProgress: (done: number) => void): Promise<void> {
    const { units } = this.info
    let heard = performance.now()
    for (const chunk of this.#trace) {
      const { first, steps, values, before } = chunk
      if (this.done === 0) this.#initial = before
      this.#statistics.add(chunk)
      for (const [name, numbers] of Object.entries(values))
        this.#values[name].set(numbers, first * units)
      this.done += steps
      if (performance.now() - heard < LISTEN_EVERY_MS) continue
      onProgress(this.done)
      await new Promise((resolve) => setTimeout(resolve, 0))
      if (this.#stopped) return
      heard = performance.now()
    }
    onProgress(this.done)
  }

  /** Statistics of the steps that are computed. */
  statistics(): StatisticsAnswer {
    const numbers = this.#statistics.result()
    return { numbers, words: describeStatistics(numbers) }
  }

  knows(t: number): boolean {
    return this.#forward ? t < this.done : t >= this.info.steps - this.done
  }

  at(t: number): StepValues {
    const { units, steps } = this.info
    const before = this.#forward ? t - 1 : t + 1
    const slice = (name: string, step: number): Float64Array =>
      step < 0 || step >= steps
        ? (this.#initial[name]?.slice() ?? new Float64Array(units))
        : this.#values[name].slice(step * units, (step + 1) * units)
    const width = this.#x?.shape.at(-1) ?? 0
    return {
      t,
      known: this.knows(t),
      values: Object.fromEntries(this.info.values.map((name) => [name, slice(name, t)])),
      before: Object.fromEntries(this.#slots.map((name) => [name, slice(name, before)])),
      x: this.#x && Float64Array.from(this.#x.data.subarray(t * width, (t + 1) * width)),
    }
  }

  view(names: readonly string[], from: number, to: number, most: number): View {
    const columns = Math.max(1, Math.min(most, to - from))
    const strips = Object.fromEntries(
      names.map((name) => [name, this.#strip(name, from, to, columns)]),
    )
    return { from, to, columns, units: this.info.units, strips }
  }

  #strip(name: string, from: number, to: number, columns: number): Strip {
    const { units } = this.info
    const data = this.#values[name]
    const [mean, min, max] = [0, 1, 2].map(() => new Float32Array(columns * units))
    for (let column = 0; column < columns; column++) {
      const first = from + Math.floor((column * (to - from)) / columns)
      const end = Math.max(first + 1, from + Math.floor(((column + 1) * (to - from)) / columns))
      for (let u = 0; u < units; u++) {
        let [sum, low, high] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
        for (let t = first; t < end; t++) {
          const value = data[t * units + u]
          sum += value
          if (value < low) low = value
          if (value > high) high = value
        }
        const at = column * units + u
        const there = this.knows(first) && this.knows(end - 1)
        mean[at] = there ? sum / (end - first) : Number.NaN
        min[at] = there ? low : Number.NaN
        max[at] = there ? high : Number.NaN
      }
    }
    return { mean, min, max }
  }
}

/** The time axis of an input; −1 where it has none. */
function timeAxis(model: Model, name: string): number {
  return model.inputs.find((port) => port.name === name)!.shape.indexOf('time')
}

function stepsOf(model: Model, input: Named<Tensor>): number {
  for (const [name, { shape }] of Object.entries(input)) {
    const axis = timeAxis(model, name)
    if (axis >= 0) return shape[axis]
  }
  return 1
}

/** The first steps of every input that has steps. */
export function firstSteps(model: Model, input: Named<Tensor>, steps: number): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(input).map(([name, tensor]) => [
      name,
      takeAlong(tensor, timeAxis(model, name), 0, steps),
    ]),
  )
}

/** `count` elements of an axis, from `first`; the tensor itself where it has no such axis. */
export function takeAlong(tensor: Tensor, axis: number, first: number, count: number): Tensor {
  if (axis < 0 || axis >= tensor.shape.length) return tensor
  const { shape, data } = tensor
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1)
  const kept = Math.min(count, shape[axis] - first)
  const out = data.slice(0, outer * kept * inner)
  for (let o = 0; o < outer; o++) {
    const from = (o * shape[axis] + first) * inner
    out.set(data.subarray(from, from + kept * inner), o * kept * inner)
  }
  return { shape: shape.with(axis, kept), data: out }
}
