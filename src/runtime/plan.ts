/**
 * From a Model to a Plan: where everything lies in memory, and which kernels run when.
 *
 * A Plan is plain data. It knows every size and offset and no trained number, so programs of the
 * same shape share one plan hash, and with it compiled code. Offsets and sizes are in elements.
 *
 * Memory, from low to high:
 *
 *     weights │ state rows of predict │ frame of predict │ stream 0: state row, frame │ stream 1 …
 *
 * A *state row* holds what one sequence carries from step to step. A *frame* holds the values of
 * the graph while they are worked on: `block` frames a tile of rows for a chunk of timesteps,
 * `step` frames one row for one step. Memory depends neither on the batch nor on the timesteps.
 */

import { valueShapes } from '../model/graph.ts'
import { statesOf } from '../model/layers.ts'
import type { LayerNode, Model, OutputPort, Port } from '../model/types.ts'
import type { Named } from '../tensor.ts'
import { fnv1a64 } from './hash.ts'
import { type Kernel, planKernel, sweepOf } from './layers.ts'

/** Lanes of a 128-bit vector of float32; arrays over units are padded to it in both precisions. */
export const LANES = 4

/** Timesteps a predict works on at a time: enough to amortise copies, small enough for the L1 cache. */
const CHUNK_STEPS = 32
/** Rows of a batch a predict works on at a time. */
const TILE_ROWS = 16

export interface PlanOptions {
  readonly precision: 'f32' | 'f64'
  readonly streams: number
}

export interface PlannedValue {
  readonly name: string
  /** Numbers that count. */
  readonly width: number
  /** Elements from one step to the next: `width`, padded to whole vectors. */
  readonly stride: number
  /** One vector for each timestep, or one for the whole sequence. */
  readonly overTime: boolean
}

export interface PlannedState {
  readonly name: string
  readonly size: number
  /** Within the state row. */
  readonly offset: number
}

/** Where the values lie, from a frame's base. */
export interface FrameLayout {
  readonly rows: number
  readonly steps: number
  /** By value index. Row r, step t of a value over time: offset + (r·steps + t)·stride. */
  readonly offsets: readonly number[]
  /** Room for whatever a kernel needs while it runs. */
  readonly scratch: number
  readonly size: number
}

/**
 * How a stage runs: over time, chunk by chunk, from the first step or from the last; once, on the
 * vectors that the stages before it left behind; or on whole sequences outside the frame.
 */
export type Sweep = 'forward' | 'backward' | 'once' | 'whole'

/** Kernels that run together. */
export interface Stage {
  readonly sweep: Sweep
  readonly kernels: readonly Kernel[]
  /** Values that come from outside the frame: graph inputs, or what an earlier stage spilled. */
  readonly reads: readonly number[]
  /** Values that leave the frame: graph outputs, or what a later stage needs over all of time. */
  readonly writes: readonly number[]
}

export interface Plan extends PlanOptions {
  readonly inputs: readonly Port[]
  readonly outputs: readonly OutputPort[]
  readonly values: readonly PlannedValue[]
  readonly states: readonly PlannedState[]
  readonly stateStride: number
  readonly weightsSize: number
  readonly stages: readonly Stage[]
  readonly block: FrameLayout
  readonly step: FrameLayout
  readonly memory: {
    readonly predictState: number
    readonly predictFrame: number
    readonly streams: number
    readonly streamStride: number
    readonly size: number
  }
  /** Of everything above: equal for models that differ in their trained numbers alone. */
  readonly hash: string
}

/** What a layer asks for while it is planned. */
export interface PlanBuilder {
  readonly precision: 'f32' | 'f64'
  /** The index of a named value of the graph, for an input or output port; −1 if the port is open. */
  value(name: string | undefined): number
  /** The index of a new value of this node alone. */
  localValue(name: string, width: number, overTime: boolean): number
  overTime(value: number): boolean
  width(value: number): number
  state(name: string): number
  weights(size: number): number
  scratch(size: number): void
}

export function padded(width: number): number {
  return Math.ceil(width / LANES) * LANES
}

export function plan(model: Model, options: PlanOptions): Plan {
  const values: PlannedValue[] = []
  const index = new Map<string, number>()
  const addValue = (name: string, width: number, overTime: boolean): number => {
    index.set(name, values.length)
    return values.push({ name, width, stride: padded(width), overTime }) - 1
  }
  for (const [name, shape] of valueShapes(model.inputs, model.nodes)) {
    addValue(name, shape.at(-1) as number, shape.includes('time'))
  }

  const states = planStates(model.nodes)
  const stateStride = states.reduce((sum, { size }) => sum + padded(size), 0)
  let weightsSize = 0
  let scratchSize = 0
  const builder: PlanBuilder = {
    precision: options.precision,
    value: (name) => (name === undefined ? -1 : index.get(name)!),
    localValue: addValue,
    overTime: (value) => values[value].overTime,
    width: (value) => values[value].width,
    state: (name) => states.find((slot) => slot.name === name)!.offset,
    weights: (size) => {
      const offset = weightsSize
      weightsSize += padded(size)
      return offset
    },
    scratch: (size) => {
      scratchSize = Math.max(scratchSize, padded(size))
    },
  }
  const kernels = model.nodes.map((node) => planKernel(node, builder))

  const stages = planStages(model, kernels, values, index)
  const block = layOut(values, TILE_ROWS, CHUNK_STEPS, scratchSize)
  const step = layOut(values, 1, 1, scratchSize)
  const predictFrame = weightsSize + TILE_ROWS * stateStride
  const streams = predictFrame + block.size
  const streamStride = stateStride + step.size
  const planned = {
    ...options,
    inputs: model.inputs,
    outputs: model.outputs,
    values,
    states,
    stateStride,
    weightsSize,
    stages,
    block,
    step,
    memory: {
      predictState: weightsSize,
      predictFrame,
      streams,
      streamStride,
      size: streams + options.streams * streamStride,
    },
  }
  return { ...planned, hash: fnv1a64(JSON.stringify(planned)) }
}

function planStates(nodes: readonly LayerNode[]): PlannedState[] {
  const states: PlannedState[] = []
  let offset = 0
  for (const { name, size } of nodes.flatMap(statesOf)) {
    states.push({ name, size, offset })
    offset += padded(size)
  }
  return states
}

function layOut(
  values: readonly PlannedValue[],
  rows: number,
  steps: number,
  scratchSize: number,
): FrameLayout {
  const offsets: number[] = []
  let size = 0
  for (const { stride, overTime } of values) {
    offsets.push(size)
    size += rows * (overTime ? steps : 1) * stride
  }
  return { rows, steps, offsets, scratch: size, size: size + scratchSize }
}

/**
 * A node runs in the earliest stage that sweeps as it needs and comes no earlier than what it
 * reads. A vector that a sweep over time leaves behind (`last`) exists only after that sweep.
 */
function planStages(
  model: Model,
  kernels: readonly Kernel[],
  values: readonly PlannedValue[],
  index: ReadonlyMap<string, number>,
): Stage[] {
  const valuesAt = (ports: Named<string>): number[] =>
    Object.values(ports).map((name) => index.get(name)!)
  const sweeps: Sweep[] = []
  const readyAt = new Map<number, number>(model.inputs.map(({ name }) => [index.get(name)!, 0]))
  const madeIn = new Map<number, number>()
  const stageOf = model.nodes.map((node) => {
    const overTime = [...valuesAt(node.inputs), ...valuesAt(node.outputs)].some(
      (value) => values[value].overTime,
    )
    const sweep = sweepOf(node, overTime)
    const earliest = Math.max(...valuesAt(node.inputs).map((value) => readyAt.get(value)!))
    let stage = sweeps.findIndex((other, i) => i >= earliest && other === sweep)
    if (stage < 0) stage = sweeps.push(sweep) - 1
    for (const value of valuesAt(node.outputs)) {
      const within = sweep !== 'whole' && (values[value].overTime || sweep === 'once')
      readyAt.set(value, within ? stage : stage + 1)
      madeIn.set(value, stage)
    }
    return stage
  })

  const leaving = new Set(model.outputs.map(({ value }) => index.get(value)!))
  const nodesIn = (stage: number): readonly LayerNode[] =>
    model.nodes.filter((_, i) => stageOf[i] === stage)
  const readIn = sweeps.map(
    (_, stage) => new Set(nodesIn(stage).flatMap((node) => valuesAt(node.inputs))),
  )
  return sweeps.map((sweep, stage) => {
    // A vector stays in its place in the frame until the tile is done; a chunk over time is overwritten.
    const comesFromOutside = (value: number): boolean =>
      !madeIn.has(value) ||
      sweep === 'whole' ||
      (values[value].overTime && madeIn.get(value) !== stage)
    const neededLater = (value: number): boolean =>
      values[value].overTime && readIn.some((reads, later) => later > stage && reads.has(value))
    const made = [...madeIn].filter(([, at]) => at === stage).map(([value]) => value)
    return {
      sweep,
      kernels: kernels.filter((_, i) => stageOf[i] === stage),
      reads: [...readIn[stage]].filter(comesFromOutside),
      writes: made.filter((value) => leaving.has(value) || neededLater(value)),
    }
  })
}
