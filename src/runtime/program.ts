/**
 * A compiled model. `predict` is pure: it carries nothing from call to call. State that must be
 * carried lives in streams.
 */

import { GruvError } from '../errors.ts'
import type { LimitOptions } from '../limits.ts'
import type { Model, Port } from '../model/types.ts'
import { type Named, showShape, type TensorLike } from '../tensor.ts'
import type { EngineOptions } from './engine/choose.ts'
import type { Engine, EngineReport } from './engine/engine.ts'
import type { Layers } from './layers.ts'
import { plan } from './plan/plan.ts'
import type { Plan, PlanOptions } from './plan/types.ts'
import { runCooperatively } from './run/cooperative.ts'
import { readInputs, zeros } from './run/inputs.ts'
import { stepMany } from './run/many.ts'
import {
  beginRun,
  type Machine,
  type Outputs,
  type Run,
  type RunOptions,
  readRun,
  resultsOf,
  workOn,
} from './run/predict.ts'
import { createRecords } from './run/record.ts'
import { checkStreamable, createStream, type Stream } from './run/stream.ts'

export interface CompileOptions extends EngineOptions {
  /** `f32` (default) computes in float32, `f64` in float64. */
  readonly precision?: 'f32' | 'f64'
  /** How many streams can be open at once; default 1. */
  readonly streams?: number
  /**
   * Workers that `predictAsync` splits the rows of a batch over; default 1, which is no worker: the
   * caller's own thread. It does no rows where there are workers, and stays free. They are made when
   * they are first needed, and end with `close`. The results are the same bits for every count;
   * models whose rows cannot be told apart, and hosts without workers, use one (`Program.engine`).
   */
  readonly threads?: number
  /** What the program and its runs may cost; defaults grow with the model and its inputs. */
  readonly limits?: LimitOptions
}

export type { Outputs, RunOptions } from './run/predict.ts'

export interface AsyncRunOptions<Name extends string = string> extends RunOptions<Name> {
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
  predict<Name extends string = 'y'>(
    x: TensorLike | Named<TensorLike>,
    options?: RunOptions<Name>,
  ): Outputs<Name>
  /**
   * The same, with a pause for the event loop every few milliseconds; the rows of a batch in
   * workers where `threads` were asked for.
   * @throws GruvError `engine-unavailable` when a worker dies; the next call has another one.
   */
  predictAsync<Name extends string = 'y'>(
    x: TensorLike | Named<TensorLike>,
    options?: AsyncRunOptions<Name>,
  ): Promise<Outputs<Name>>
  /** @throws GruvError `not-causal`, naming the layer. */
  stream<Output extends string = 'y', Input extends string = 'x'>(): Stream<Output, Input>
  /** Bytes of a stream's state as `saveTo` writes it. */
  readonly stateBytes: number
  /**
   * One step of n sequences whose states are records (docs/state.md): the bits of a stream for each,
   * and faster where the weights are large, since a tile of sequences loads them once. n is 1 to a
   * million or more.
   * @param states n records of `stateBytes` bytes, which are replaced.
   * @param inputs [n, width], row by row; of several inputs one vector behind the other.
   * @param outputs [n, width], which are written; likewise.
   * @throws GruvError `not-causal`; `bad-argument` or `bad-shape` for what does not fit, and then
   *   no sequence has taken the step.
   */
  stepMany(
    states: Uint8Array,
    inputs: Float32Array | Float64Array,
    outputs: Float32Array | Float64Array,
  ): void
  /** Swaps the trained numbers. @throws GruvError `bad-argument` unless the plan's hash is the same. */
  setWeights(model: Model): void
  /** Runs each kernel often enough for the engine to optimise it: call it before real-time work. */
  warmup(): void
  close(): void
}

/** Beyond this many it is a mistake: each worker has a memory of its own. */
const MOST_THREADS = 1024

/** @throws GruvError `bad-argument` for a value that an option cannot have. */
export function checkOptions({
  precision = 'f32',
  streams = 1,
  engine = 'auto',
  threads = 1,
}: CompileOptions): PlanOptions & { readonly threads: number } {
  oneOf('precision', precision, ['f32', 'f64'])
  oneOf('engine', engine, ['auto', 'wasm', 'js'])
  isCount('streams', streams)
  isCount('threads', threads, MOST_THREADS)
  return { precision, streams, threads }
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (values.includes(value)) return
  throw new GruvError('bad-argument', `${name} cannot be '${value}'`, {
    expected: `one of ${values.join(', ')}`,
  })
}

function isCount(name: string, value: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return
  throw new GruvError('bad-argument', `${name} is a count`, {
    expected: `a whole number from 1${most < Number.POSITIVE_INFINITY ? ` to ${most}` : ''}`,
    got: `${value}`,
  })
}

export function createProgram(
  model: Model,
  planned: Plan,
  layers: Layers,
  engine: Engine,
  limits: LimitOptions | undefined,
): Program {
  const machine: Machine = { plan: planned, engine, tensorOps: layers.tensorOps, limits }
  const { precision, streams } = planned
  engine.setWeights(model)
  const records = createRecords(planned, engine.memory, model)
  const freeStreams = Array.from({ length: streams }, (_, i) => i).reverse()
  let current = model
  let open = true
  const alive = (): void => {
    if (!open) throw new GruvError('closed', 'this program was closed')
  }
  const start = (x: TensorLike | Named<TensorLike>, options: RunOptions): Run => {
    alive()
    const request = readRun(planned, readInputs(planned.inputs, x), options)
    return beginRun(machine, current, request)
  }
  const program: Program = {
    inputs: planned.inputs,
    outputs: planned.outputs.map(({ name, shape }) => ({ name, shape })),
    states: planned.states.map(({ name, size }) => ({ name, size })),
    engine: engine.report,
    plan: planned,
    stateBytes: records.bytes,

    predict<Name extends string>(
      x: TensorLike | Named<TensorLike>,
      options: RunOptions<Name> = {},
    ) {
      const run = start(x, options)
      for (const _ of workOn(run));
      return resultsOf<Name>(run)
    },

    async predictAsync(x, { onProgress, ...options } = {}) {
      return runCooperatively(start(x, options), alive, onProgress)
    },

    stream<Output extends string, Input extends string>() {
      alive()
      checkStreamable(planned)
      const slot = freeStreams.pop()
      if (slot === undefined) {
        throw new GruvError('bad-argument', `all ${streams} streams of this program are open`, {
          fix: 'Close one, or compile with more: `compile(model, { streams: n })`.',
        })
      }
      const release = () => freeStreams.push(slot)
      return createStream<Output, Input>(planned, engine, slot, records, alive, release)
    },

    stepMany(states, inputs, outputs) {
      alive()
      checkStreamable(planned)
      stepMany(planned, engine, records, states, inputs, outputs)
    },

    setWeights(next) {
      alive()
      const [was, is] = [current, next].map(outlineOf)
      if (was !== is) throw otherShape(was, is)
      const { hash } = plan(next, { precision, streams }, layers)
      if (hash !== planned.hash) throw otherShape(`plan ${planned.hash}`, `plan ${hash}`)
      engine.setWeights(next)
      records.setModel(next)
      current = next
    },

    warmup() {
      program.predict(zeros(planned.inputs, WARMUP_STEPS))
      if (planned.obstacle !== null || freeStreams.length === 0) return
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

const WARMUP_STEPS = 1000

/** What tells most models apart before they are planned: inputs, and kinds of layers. */
function outlineOf({ inputs, nodes }: Model): string {
  const shapes = inputs.map(({ shape }) => showShape(shape)).join(', ')
  return `a plan of ${shapes} through ${nodes.map(({ kind }) => kind).join(', ')}`
}

function otherShape(expected: string, got: string): GruvError {
  return new GruvError('bad-argument', 'these weights belong to a model of another shape', {
    expected,
    got,
    fix: 'Compile that model instead.',
  })
}
