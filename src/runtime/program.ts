/**
 * A compiled model. `predict` is pure: it carries nothing from call to call. Whatever must be
 * carried lives in streams.
 */

import { GruvError } from '../errors.ts'
import type { Model, Port } from '../model/types.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import { isAtHand, lacking, toolkitAtHand } from './at-hand.ts'
import { chooseEngine, type EngineOptions } from './choose.ts'
import type { Engine, EngineReport } from './engine.ts'
import { runInSlices } from './in-slices.ts'
import { type Plan, plan } from './plan.ts'
import { beginRun, type Run, type RunOptions, resultsOf, workOn } from './run.ts'
import { createStream, type Stream } from './stream.ts'
import type { Toolkit } from './toolkit.ts'

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
}

export type { RunOptions } from './run.ts'

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
  /**
   * The same, with a pause for the event loop every few milliseconds; the rows of a batch in
   * workers where `threads` were asked for.
   * @throws GruvError `engine-unavailable` when a worker dies; the next call has another one.
   */
  predictAsync(x: TensorLike | Named<TensorLike>, options?: AsyncRunOptions): Promise<Named<Tensor>>
  /** @throws GruvError `not-causal`, naming the layer. */
  stream(): Stream
  /** Swaps the trained numbers. @throws GruvError `bad-argument` unless the plan's hash is the same. */
  setWeights(model: Model): void
  /** Runs each kernel often enough for the engine to optimise it: call it before real-time work. */
  warmup(): void
  close(): void
}

/**
 * Compilation is asynchronous because browsers refuse to compile large modules on a page's main
 * thread, and because what this model needs is fetched first.
 */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Program> {
  if (!isAtHand(model, options)) return (await import('./at-once.ts')).compileAny(model, options)
  return compileWith(toolkitAtHand, model, options)
}

/** A plain model: what the tools lack for it is fetched, and compiles it with what it adds. */
export async function compileWith(
  tools: Toolkit,
  model: Model,
  options: CompileOptions,
): Promise<Program> {
  const fetchPiece = lacking(tools, model)
  if (fetchPiece) {
    const piece = await fetchPiece()
    return piece.compileWith(piece.add(tools), model, options)
  }
  const { streams = 1 } = options
  const planned = plan(model, { precision: 'f32', streams }, tools)
  const engine = await chooseEngine(planned, tools, options)
  return createProgram(model, planned, tools, engine)
}

export function createProgram(
  model: Model,
  planned: Plan,
  tools: Toolkit,
  engine: Engine,
): Program {
  engine.setWeights(model, planned)
  const { hash, precision, streams } = planned
  const freeStreams = Array.from({ length: streams }, (_, i) => i).reverse()
  let current = model
  let open = true
  const alive = (): void => {
    if (!open) throw new GruvError('closed', 'this program was closed')
  }
  const start = (x: TensorLike | Named<TensorLike>, options: RunOptions): Run => {
    alive()
    const inputs = tools.readInputs(planned.inputs, x)
    return beginRun(tools, planned, engine, current, inputs, options)
  }
  const openStream = (): Stream => {
    const slot = freeStreams.pop()
    if (slot === undefined) {
      throw new GruvError('bad-argument', `all ${streams} streams of this program are open`, {
        fix: 'Close one, or compile with more: `compile(model, { streams: n })`.',
      })
    }
    return createStream(planned, engine, slot, alive, () => freeStreams.push(slot))
  }

  const program: Program = {
    inputs: planned.inputs,
    outputs: planned.outputs.map(({ name, shape }) => ({ name, shape })),
    states: planned.states.map(({ name, size }) => ({ name, size })),
    engine: engine.report,
    plan: planned,

    predict(x, options = {}) {
      const run = start(x, options)
      for (const _ of workOn(run));
      return resultsOf(run)
    },

    async predictAsync(x, { onProgress, ...options } = {}) {
      return runInSlices(start(x, options), alive, onProgress)
    },

    stream() {
      alive()
      return tools.stream(planned, openStream)
    },

    setWeights(next) {
      alive()
      // What needs other tools cannot have the same shape.
      const other = tools.serves(next)
        ? plan(next, { precision, streams }, tools).hash
        : 'of other layers'
      if (other !== hash) {
        throw new GruvError('bad-argument', 'these weights belong to a model of another shape', {
          expected: `plan ${hash}`,
          got: `plan ${other}`,
          fix: 'Compile that model instead.',
        })
      }
      engine.setWeights(next, planned)
      current = next
    },

    warmup() {
      program.predict(tools.zeros(planned.inputs, WARMUP_STEPS))
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
