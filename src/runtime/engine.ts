/** What executes a Plan. An engine owns the memory; programs and streams only say where and how much. */

import type { LayerNode, Model } from '../model/types.ts'
import { ops32 } from './js/ops32.ts'
import { ops64 } from './js/ops64.ts'
import { type FrameKernel, type Kernel, type Place, packWeights, runJs } from './layers.ts'
import type { Masks } from './masks.ts'
import type { FrameLayout, Plan } from './plan.ts'

export interface EngineReport {
  readonly kind: 'js' | 'wasm'
  /** `relaxed`: products and sums in one rounding, where the machine can. */
  readonly simd: 'none' | 'simd128' | 'relaxed'
  readonly precision: 'f32' | 'f64'
  /** Whether the results are the same bits on every machine; JavaScript's always are. */
  readonly deterministic: boolean
  /** What runs in JavaScript though WebAssembly was asked for or preferred, and why. */
  readonly fallbacks: readonly Fallback[]
}

export interface Fallback {
  /** A node of the model; null for all of it. */
  readonly node: string | null
  readonly why: string
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
  step(stage: number, frame: number, state: number): void
  /** Runs a stage's kernels on a piece of a whole run, in the frame of predict. */
  block(stage: number, piece: Piece): void
  setWeights(model: Model, plan: Plan): void
}

/** Kernels in plain JavaScript, for both precisions. `why`: why not in WebAssembly, if it was wanted. */
export function createJsEngine(plan: Plan, why?: string): Engine {
  const float32 = plan.precision === 'f32'
  const memory = float32 ? new Float32Array(plan.memory.size) : new Float64Array(plan.memory.size)
  const ops = float32 ? ops32 : ops64
  // Changed in place: a step allocates nothing.
  const nodes = new Map<string, LayerNode>()
  const stepPlace = createPlace(plan, memory, plan.step, nodes)
  const blockPlace = createPlace(plan, memory, plan.block, nodes)
  const stages = plan.stages.map(({ kernels }) => kernels.filter(inFrame))
  return {
    report: {
      kind: 'js',
      simd: 'none',
      precision: plan.precision,
      deterministic: true,
      fallbacks: why === undefined ? [] : [{ node: null, why }],
    },
    memory,
    step(stage, frame, state) {
      const kernels = stages[stage]
      stepPlace.frame = frame
      stepPlace.state = state
      for (let i = 0; i < kernels.length; i++) runJs(kernels[i], ops, stepPlace)
    },
    block(stage, piece) {
      const kernels = stages[stage]
      Object.assign(blockPlace, piece)
      for (let i = 0; i < kernels.length; i++) runJs(kernels[i], ops, blockPlace)
    },
    setWeights: (model, plan) => packAll(model, plan, memory, nodes),
  }
}

/** One row and one step of predict, until somebody says otherwise. */
export function createPlace(
  plan: Plan,
  memory: Float32Array | Float64Array,
  layout: FrameLayout,
  nodes: ReadonlyMap<string, LayerNode>,
): Place {
  return {
    memory,
    layout,
    nodes,
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
  }
}

/** Whether a kernel is the engine's to run. */
export function inFrame(kernel: Kernel): kernel is FrameKernel {
  return kernel.kind !== 'whole'
}

/** Writes all trained numbers where kernels expect them, and keeps the nodes for those that stay outside. */
export function packAll(
  model: Model,
  { stages }: Plan,
  memory: Float32Array | Float64Array,
  nodes: Map<string, LayerNode>,
): void {
  const kernels = new Map(
    stages.flatMap((stage) => stage.kernels.map((kernel) => [kernel.node, kernel] as const)),
  )
  for (const node of model.nodes) {
    nodes.set(node.name, node)
    packWeights(node, kernels.get(node.name)!, memory)
  }
}
