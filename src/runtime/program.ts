/**
 * A compiled model. `predict` is pure: it carries nothing from call to call. Whatever must be
 * carried lives in streams.
 */

import { GruvError } from '../errors.ts'
import type { Model, OutputPort, Port } from '../model/types.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import { chooseEngine, chooseEngineAsync, type EngineOptions } from './choose.ts'
import type { Engine, EngineReport } from './engine.ts'
import { notFound, type RunInputs, readInputs, readStates } from './inputs.ts'
import { causal, runWhole } from './layers.ts'
import { type MaskOptions, type Masks, readMasks } from './masks.ts'
import { type Plan, plan } from './plan.ts'
import { createStream, type Stream } from './stream.ts'

export interface CompileOptions extends EngineOptions {
  /** `f32` (default) computes in float32, `f64` in float64. */
  readonly precision?: 'f32' | 'f64'
  /** How many streams can be open at once; default 1. */
  readonly streams?: number
}

export interface RunOptions extends MaskOptions {
  /**
   * The state a sequence starts from, by the names in `Program.states`; a model with one state
   * needs no name. [units] for every row, or [batch, units]. Zeros when left out.
   */
  readonly initialState?: TensorLike | Named<TensorLike>
  /** Which outputs to deliver, states (the final ones) included; default: all of the model's outputs. */
  readonly outputs?: readonly string[]
}

export interface AsyncRunOptions extends RunOptions {
  /** Called now and then with the share of the work that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

export interface StatePort {
  /** `gru.h`: the node and its state. */
  readonly name: string
  readonly size: number
}

export interface Program {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly states: readonly StatePort[]
  readonly engine: EngineReport
  readonly plan: Plan
  /**
   * Runs whole sequences. Input [batch, time, features] gives outputs with a batch axis; what has
   * no batch axis gives outputs without one.
   */
  predict(x: TensorLike | Named<TensorLike>, options?: RunOptions): Named<Tensor>
  /** The same, with a pause for the event loop every few milliseconds. */
  predictAsync(x: TensorLike | Named<TensorLike>, options?: AsyncRunOptions): Promise<Named<Tensor>>
  /** @throws GruvError `not-causal`, naming the layer. */
  stream(): Stream
  /** Swaps the trained numbers. @throws GruvError `bad-argument` unless the plan's hash is the same. */
  setWeights(model: Model): void
  /** Runs each kernel often enough for the engine to optimise it: call it before real-time work. */
  warmup(): void
  close(): void
}

export function compileSync(model: Model, options: CompileOptions = {}): Program {
  const planned = planFor(model, options)
  return createProgram(model, planned, chooseEngine(planned, options))
}

/** Compilation is asynchronous because browsers refuse to compile large modules on a page's main thread. */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Program> {
  const planned = planFor(model, options)
  return createProgram(model, planned, await chooseEngineAsync(planned, options))
}

function planFor(
  model: Model,
  { precision = 'f32', streams = 1, engine = 'auto' }: CompileOptions,
): Plan {
  oneOf('precision', precision, ['f32', 'f64'])
  oneOf('engine', engine, ['auto', 'wasm', 'js'])
  if (!Number.isInteger(streams) || streams < 1) {
    throw new GruvError('bad-argument', 'streams is a count', {
      expected: 'a whole number from 1',
      got: `${streams}`,
    })
  }
  return plan(model, { precision, streams })
}

function createProgram(model: Model, planned: Plan, engine: Engine): Program {
  engine.setWeights(model, planned)
  const freeStreams = Array.from({ length: planned.streams }, (_, i) => i).reverse()
  const obstacle = model.nodes.flatMap((node) => {
    const answer = causal(node)
    return answer === true ? [] : [{ node: node.name, why: answer }]
  })[0]
  let open = true
  const alive = (): void => {
    if (!open) throw new GruvError('closed', 'this program was closed')
  }
  const start = (x: TensorLike | Named<TensorLike>, options: RunOptions): Run => {
    alive()
    return new Run(planned, engine, readInputs(planned.inputs, x), options)
  }

  const program: Program = {
    inputs: planned.inputs,
    outputs: planned.outputs.map(({ name, shape }) => ({ name, shape })),
    states: planned.states.map(({ name, size }) => ({ name, size })),
    engine: engine.report,
    plan: planned,

    predict(x, options = {}) {
      const run = start(x, options)
      for (const _ of run.work());
      return run.results()
    },

    async predictAsync(x, options = {}) {
      const run = start(x, options)
      let last = Date.now()
      for (const share of run.work()) {
        if (Date.now() - last < PAUSE_EVERY_MS) continue
        options.onProgress?.(share)
        run.suspend()
        await new Promise((resolve) => setTimeout(resolve, 0))
        alive()
        run.resume()
        last = Date.now()
      }
      options.onProgress?.(1)
      return run.results()
    },

    stream() {
      alive()
      if (obstacle !== undefined) {
        throw new GruvError('not-causal', `this model cannot run step by step: ${obstacle.why}`, {
          where: obstacle.node,
          fix: 'Run whole sequences with predict.',
        })
      }
      const slot = freeStreams.pop()
      if (slot === undefined) {
        throw new GruvError(
          'bad-argument',
          `all ${planned.streams} streams of this program are open`,
          {
            fix: 'Close one, or compile with more: `compile(model, { streams: n })`.',
          },
        )
      }
      return createStream(planned, engine, slot, alive, () => freeStreams.push(slot))
    },

    setWeights(next) {
      alive()
      const replanned = plan(next, { precision: planned.precision, streams: planned.streams })
      if (replanned.hash !== planned.hash) {
        throw new GruvError('bad-argument', 'these weights belong to a model of another shape', {
          expected: `plan ${planned.hash}`,
          got: `plan ${replanned.hash}`,
          fix: 'Compile that model instead.',
        })
      }
      engine.setWeights(next, planned)
    },

    warmup() {
      const features = Object.fromEntries(
        planned.inputs.map(({ name, shape }) => {
          const extents = shape.map((extent) =>
            extent === 'batch' ? 1 : typeof extent === 'string' ? WARMUP_STEPS : extent,
          )
          return [
            name,
            { shape: extents, data: new Float32Array(extents.reduce((a, b) => a * b, 1)) },
          ]
        }),
      )
      program.predict(features)
      if (obstacle !== undefined || freeStreams.length === 0) return
      const stream = program.stream()
      for (let i = 0; i < WARMUP_STEPS; i++) stream.step()
      stream.close()
    },

    close() {
      open = false
    },
  }
  return program
}

/** Below a frame of a 60 Hz display, so that a page stays smooth. */
const PAUSE_EVERY_MS = 12
const WARMUP_STEPS = 1000

/** One predict: tile by tile, stage by stage, chunk by chunk. */
class Run {
  private readonly collected = new Map<string, Tensor>()
  /** Values over time that leave the frame, with all steps of all rows, by value index. */
  private readonly whole = new Map<number, Tensor>()
  private readonly wanted: readonly string[]
  private readonly initial: ReadonlyMap<string, Tensor>
  private readonly plan: Plan
  private readonly engine: Engine
  private readonly inputs: RunInputs
  private readonly masks: Masks | null
  private saved: Float32Array | Float64Array | null = null

  constructor(plan: Plan, engine: Engine, inputs: RunInputs, options: RunOptions) {
    this.plan = plan
    this.engine = engine
    this.inputs = inputs
    this.masks = readMasks(options, inputs.batch, inputs.steps)
    const known = [...plan.outputs, ...plan.states].map(({ name }) => name)
    this.wanted = options.outputs ?? plan.outputs.map(({ name }) => name)
    for (const name of this.wanted) if (!known.includes(name)) throw notFound('output', name, known)
    this.initial = readStates(plan.states, options.initialState, inputs.batch)
    plan.inputs.forEach(({ name }) => {
      this.whole.set(this.valueIndex(name), inputs.tensors.get(name)!)
    })
    for (const value of plan.stages.flatMap((stage) => stage.writes)) {
      const { width, overTime } = plan.values[value]
      this.whole.set(
        value,
        this.empty(overTime ? [inputs.batch, inputs.steps, width] : [inputs.batch, width]),
      )
    }
    for (const { name, size } of plan.states) {
      if (this.wanted.includes(name)) this.collected.set(name, this.empty([inputs.batch, size]))
    }
  }

  /** Does the work, and says after each piece how much of it is done. */
  *work(): Generator<number, void> {
    const { block, stages } = this.plan
    const { batch, steps } = this.inputs
    for (let first = 0; first < batch; first += block.rows) {
      const rows = Math.min(block.rows, batch - first)
      this.setStates(first, rows)
      for (let s = 0; s < stages.length; s++) {
        const { sweep, kernels } = stages[s]
        if (sweep === 'whole') {
          for (const kernel of kernels) runWhole(kernel, this.whole, first, rows)
          continue
        }
        const length = sweep === 'once' ? 1 : steps
        const chunks = Math.ceil(length / block.steps)
        for (let i = 0; i < chunks; i++) {
          const from = (sweep === 'backward' ? chunks - 1 - i : i) * block.steps
          this.chunk(s, first, rows, from, Math.min(block.steps, length - from), i === 0)
          yield (first + rows * ((s + i / chunks) / stages.length)) / batch
        }
      }
      this.collectStates(first, rows)
    }
  }

  /** Somebody else may use the program until `resume`: keeps what this run has in its memory. */
  suspend(): void {
    const { predictState, streams } = this.plan.memory
    this.saved = this.engine.memory.slice(predictState, streams)
  }

  resume(): void {
    if (this.saved !== null) this.engine.memory.set(this.saved, this.plan.memory.predictState)
    this.saved = null
  }

  /** The outputs that were asked for, without the axes that the input did not have. */
  results(): Named<Tensor> {
    const { outputs } = this.plan
    const results: Record<string, Tensor> = {}
    for (const name of this.wanted) {
      const output = outputs.find((port) => port.name === name)
      const tensor = output === undefined ? this.collected.get(name)! : this.output(output)
      results[name] = {
        ...tensor,
        shape: this.givenAxes(tensor.shape, output?.shape.includes('time') ?? false),
      }
    }
    return results
  }

  private output({ value }: OutputPort): Tensor {
    return this.whole.get(this.valueIndex(value))!
  }

  private givenAxes(shape: readonly number[], overTime: boolean): readonly number[] {
    if (this.inputs.batched) return shape
    return shape.slice(overTime && !this.inputs.timed ? 2 : 1)
  }

  private valueIndex(name: string): number {
    return this.plan.values.findIndex((value) => value.name === name)
  }

  private empty(shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1)
    return {
      shape,
      data: this.plan.precision === 'f32' ? new Float32Array(size) : new Float64Array(size),
    }
  }

  private chunk(
    s: number,
    firstRow: number,
    rows: number,
    firstStep: number,
    steps: number,
    start: boolean,
  ): void {
    const stage = this.plan.stages[s]
    for (const value of stage.reads) this.copy(value, 'in', firstRow, rows, firstStep, steps)
    const allSteps = this.inputs.steps
    this.engine.block(s, {
      firstRow,
      rows,
      firstStep,
      steps,
      allSteps,
      start,
      masks: this.masks,
    })
    for (const value of stage.writes) this.copy(value, 'out', firstRow, rows, firstStep, steps)
  }

  /** Between a whole tensor and the frame, row by row and step by step: the frame's are padded. */
  private copy(
    value: number,
    way: 'in' | 'out',
    first: number,
    rows: number,
    from: number,
    steps: number,
  ): void {
    const { values, block, memory } = this.plan
    const { width, stride, overTime } = values[value]
    const frame = this.engine.memory
    const { data } = this.whole.get(value)!
    const count = overTime ? steps : 1
    const perRow = overTime ? block.steps : 1
    for (let row = 0; row < rows; row++) {
      let there =
        ((first + row) * (overTime ? this.inputs.steps : 1) + (overTime ? from : 0)) * width
      let here = memory.predictFrame + block.offsets[value] + row * perRow * stride
      for (let t = 0; t < count; t++, there += width, here += stride) {
        if (way === 'in') for (let i = 0; i < width; i++) frame[here + i] = data[there + i]
        else for (let i = 0; i < width; i++) data[there + i] = frame[here + i]
      }
    }
  }

  private setStates(first: number, rows: number): void {
    const { states, stateStride, memory } = this.plan
    const start = memory.predictState
    this.engine.memory.fill(0, start, start + rows * stateStride)
    for (const { name, size, offset } of states) {
      const initial = this.initial.get(name)
      if (initial === undefined) continue
      for (let row = 0; row < rows; row++) {
        const from = initial.shape.length === 1 ? 0 : (first + row) * size
        this.engine.memory.set(
          initial.data.subarray(from, from + size),
          start + row * stateStride + offset,
        )
      }
    }
  }

  private collectStates(first: number, rows: number): void {
    const { states, stateStride, memory } = this.plan
    for (const { name, size, offset } of states) {
      const target = this.collected.get(name)
      if (target === undefined) continue
      for (let row = 0; row < rows; row++) {
        const from = memory.predictState + row * stateStride + offset
        target.data.set(this.engine.memory.subarray(from, from + size), (first + row) * size)
      }
    }
  }
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (values.includes(value)) return
  throw new GruvError('bad-argument', `${name} cannot be '${value}'`, {
    expected: `one of ${values.join(', ')}`,
  })
}
