/** What executes a Plan. An engine owns the memory; programs and streams only say where and how much. */

import type { Model } from '../model/types.ts'
import { ops32 } from './js/ops32.ts'
import { ops64 } from './js/ops64.ts'
import { type Place, packWeights, runJs } from './layers.ts'
import type { Masks } from './masks.ts'
import type { FrameLayout, Plan, Stage } from './plan.ts'

export interface EngineReport {
  readonly kind: 'js'
  readonly precision: 'f32' | 'f64'
  /** Whether the results are the same bits on every machine; JavaScript's always are. */
  readonly deterministic: boolean
}

/** A tile of rows, a chunk of steps. */
export interface Piece {
  readonly firstRow: number
  readonly rows: number
  readonly firstStep: number
  readonly steps: number
  readonly allSteps: number
  /** Whether the sequence begins with this piece, in the direction of the sweep. */
  readonly start: boolean
  readonly masks: Masks | null
}

export interface Engine {
  readonly report: EngineReport
  /** Laid out as the plan says. */
  readonly memory: Float32Array | Float64Array
  /** Runs a stage's kernels for one step of one row, in the frame of a stream. */
  step(stage: Stage, frame: number, state: number): void
  /** Runs a stage's kernels on a piece of a whole run, in the frame of predict. */
  block(stage: Stage, piece: Piece): void
  setWeights(model: Model, plan: Plan): void
}

/** Kernels in plain JavaScript, for both precisions. */
export function createJsEngine(plan: Plan): Engine {
  const float32 = plan.precision === 'f32'
  const memory = float32 ? new Float32Array(plan.memory.size) : new Float64Array(plan.memory.size)
  const ops = float32 ? ops32 : ops64
  const place = (layout: FrameLayout): Place => ({
    memory,
    layout,
    stateStride: plan.stateStride,
    frame: plan.memory.predictFrame,
    state: plan.memory.predictState,
    rows: 1,
    steps: 1,
    start: false,
    masks: null,
    firstRow: 0,
    firstStep: 0,
    allSteps: 1,
  })
  // Changed in place: a step allocates nothing.
  const stepPlace = place(plan.step)
  const blockPlace = place(plan.block)
  return {
    report: { kind: 'js', precision: plan.precision, deterministic: true },
    memory,
    step({ kernels }, frame, state) {
      stepPlace.frame = frame
      stepPlace.state = state
      for (let i = 0; i < kernels.length; i++) runJs(kernels[i], ops, stepPlace)
    },
    block({ kernels }, piece) {
      Object.assign(blockPlace, piece)
      for (let i = 0; i < kernels.length; i++) runJs(kernels[i], ops, blockPlace)
    },
    setWeights: (model, { stages }) => {
      const kernels = stages.flatMap((stage) => stage.kernels)
      for (const node of model.nodes) {
        packWeights(node, kernels.find((kernel) => kernel.node === node.name)!, memory)
      }
    },
  }
}
