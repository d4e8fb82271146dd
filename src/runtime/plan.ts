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
import { type Kernel, planKernel } from './layers.ts'

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
 * Kernels that run together. A stage over time runs chunk by chunk from the first step to the
 * last; the other kind runs once, on what the stages before it left at the end of the sequence.
 */
export interface Stage {
  readonly overTime: boolean
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
 * Stages alternate: even ones run over time, odd ones once. A node runs as early as what it reads
 * allows; a vector that a stage over time leaves behind (`last`) exists only in the stage after it.
 */
function planStages(
  model: Model,
  kernels: readonly Kernel[],
  values: readonly PlannedValue[],
  index: ReadonlyMap<string, number>,
): Stage[] {
  const readyAt = new Map<number, number>(model.inputs.map(({ name }) => [index.get(name)!, 0]))
  const stageOf = model.nodes.map((node) => {
    const reads = Object.values(node.inputs).map((name) => index.get(name)!)
    const earliest = Math.max(...reads.map((value) => readyAt.get(value)!))
    const overTime = runsOverTime(node, values, index)
    const stage = earliest % 2 === (overTime ? 0 : 1) ? earliest : earliest + 1
    for (const name of Object.values(node.outputs)) {
      const value = index.get(name)!
      readyAt.set(value, values[value].overTime || !overTime ? stage : stage + 1)
    }
    return stage
  })

  const leaving = new Set(model.outputs.map(({ value }) => index.get(value)!))
  const entering = new Set(model.inputs.map(({ name }) => index.get(name)!))
  const madeIn = new Map<number, number>()
  model.nodes.forEach((node, i) => {
    for (const name of Object.values(node.outputs)) madeIn.set(index.get(name)!, stageOf[i])
  })
  const readIn = (stage: number): Set<number> => {
    const members = model.nodes.filter((_, i) => stageOf[i] === stage)
    return new Set(
      members.flatMap((node) => Object.values(node.inputs).map((name) => index.get(name)!)),
    )
  }
  const numbers = [...new Set(stageOf)].sort((a, b) => a - b)
  return numbers.map((stage) => {
    // A vector stays in its place in the frame until the tile is done; a chunk over time is overwritten.
    const comesFromOutside = (value: number): boolean =>
      entering.has(value) || (values[value].overTime && madeIn.get(value) !== stage)
    const neededLater = (value: number): boolean =>
      values[value].overTime && numbers.some((later) => later > stage && readIn(later).has(value))
    const made = [...madeIn].filter(([, at]) => at === stage).map(([value]) => value)
    return {
      overTime: stage % 2 === 0,
      kernels: kernels.filter((_, i) => stageOf[i] === stage),
      reads: [...readIn(stage)].filter(comesFromOutside),
      writes: made.filter((value) => leaving.has(value) || neededLater(value)),
    }
  })
}

function runsOverTime(
  node: LayerNode,
  values: readonly PlannedValue[],
  index: ReadonlyMap<string, number>,
): boolean {
  const ports: Named<string>[] = [node.inputs, node.outputs]
  return ports.some((side) => Object.values(side).some((name) => values[index.get(name)!].overTime))
}
