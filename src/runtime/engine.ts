/** What executes a Plan. An engine owns the memory; programs and streams only say where and how much. */

import type { Model } from '../model/types.ts'
import { ops32 } from './js/ops32.ts'
import { ops64 } from './js/ops64.ts'
import { type Place, packWeights, runJs } from './layers.ts'
import type { FrameLayout, Plan, Stage } from './plan.ts'

export interface EngineReport {
  readonly kind: 'js'
  readonly precision: 'f32' | 'f64'
  /** Whether the results are the same bits on every machine; JavaScript's always are. */
  readonly deterministic: boolean
}

export interface Engine {
  readonly report: EngineReport
  /** Laid out as the plan says. */
  readonly memory: Float32Array | Float64Array
  /** Runs a stage's kernels on `rows` × `steps` of a frame. `start`: the sequence begins here. */
  run(
    stage: Stage,
    layout: FrameLayout,
    frame: number,
    state: number,
    rows: number,
    steps: number,
    start: boolean,
  ): void
  setWeights(model: Model, plan: Plan): void
}

/** Kernels in plain JavaScript, for both precisions. */
export function createJsEngine(plan: Plan): Engine {
  const float32 = plan.precision === 'f32'
  const memory = float32 ? new Float32Array(plan.memory.size) : new Float64Array(plan.memory.size)
  const ops = float32 ? ops32 : ops64
  // One place for each layout, changed in place: a step allocates nothing.
  const places = [plan.block, plan.step].map(
    (layout): Place => ({
      memory,
      layout,
      stateStride: plan.stateStride,
      frame: 0,
      state: 0,
      rows: 0,
      steps: 0,
      start: false,
    }),
  )
  return {
    report: { kind: 'js', precision: plan.precision, deterministic: true },
    memory,
    run(stage, layout, frame, state, rows, steps, start) {
      const place = layout === plan.block ? places[0] : places[1]
      place.frame = frame
      place.state = state
      place.rows = rows
      place.steps = steps
      place.start = start
      for (let i = 0; i < stage.kernels.length; i++) runJs(stage.kernels[i], ops, place)
    },
    setWeights: (model, { stages }) => {
      const kernels = stages.flatMap((stage) => stage.kernels)
      for (const node of model.nodes) {
        packWeights(node, kernels.find((kernel) => kernel.node === node.name)!, memory)
      }
    },
  }
}
