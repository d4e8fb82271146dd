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
 * A *state row* holds what one sequence carries from step to step. A *frame* holds vectors of the
 * graph while they are worked on: `block` frames a tile of rows for a chunk of timesteps, `step`
 * frames one row for one step. Memory depends neither on the batch nor on the timesteps.
 */

import type { Dim, Model, OutputPort, Port } from '../model/types.ts'
import type { Named } from '../tensor.ts'
import { fnv1a64 } from './hash.ts'
import type { PlannedNode, Stage } from './stages.ts'
import type { Toolkit } from './toolkit.ts'

/** Lanes of a 128-bit vector of float32; arrays over units are padded to it in both precisions. */
export const LANES = 4

/** Timesteps a predict works on at a time: enough to amortise copies, small enough for the L1 cache. */
const CHUNK_STEPS = 32
/** Steps whose inputs are projected before the recurrence takes them. */
export const PROJECTED_STEPS = 16
/**
 * To be raised with whatever an artifact of before would get wrong: how weights are packed, what code is
 * called by. `artifact.test.ts` tells when.
 */
const FORMAT = 2
/** Rows of a batch a predict works on at a time. */
export const TILE_ROWS = 16

export interface PlanOptions {
  readonly precision: 'f32' | 'f64'
  readonly streams: number
}

/** A value of the graph as frames hold it: a vector for each step of each row, or for each row. */
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
  /** `gru.h` */
  readonly name: string
  /** The layer that carries it. */
  readonly node: string
  readonly size: number
  /** Within the state row. */
  readonly offset: number
  /** How many sequences there are. */
  readonly rows: Dim
}

/** A state that begins as an input of the model says. */
export interface InitialState {
  readonly input: string
  readonly state: string
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

export interface Plan extends PlanOptions {
  readonly inputs: readonly Port[]
  readonly outputs: readonly OutputPort[]
  /** Of every value of the graph, by name. */
  readonly shapes: Named<readonly Dim[]>
  readonly values: readonly PlannedValue[]
  readonly states: readonly PlannedState[]
  readonly stateStride: number
  readonly weightsSize: number
  readonly stages: readonly Stage[]
  readonly block: FrameLayout
  readonly step: FrameLayout
  /** Inputs that a stream starts its states from; absent where there are none. */
  readonly initial?: readonly InitialState[]
  /** Why it cannot run step by step; null if it can. */
  readonly obstacle: { readonly node: string; readonly why: string } | null
  readonly memory: {
    readonly predictState: number
    readonly predictFrame: number
    readonly streams: number
    readonly streamStride: number
    readonly size: number
  }
  /** Of everything above and of `FORMAT`: equal for models that differ in their trained numbers alone. */
  readonly hash: string
}

/** How a value stands in a frame: a vector for each step of each row, or one for each row. */
export type Role = 'step' | 'row'

/** What a layer asks for while it is planned. */
export interface PlanBuilder {
  readonly precision: 'f32' | 'f64'
  /** The index of the value that arrives at a port; −1 if the port is open. */
  input(port: string, role: Role): number
  /** The index of the value that leaves by a port; −1 if nobody reads it. */
  output(port: string, role: Role): number
  /** The index of a new value of this node alone. */
  local(name: string, width: number, role: Role): number
  width(value: number): number
  /** Offset in the state row of one of the node's states; −1 if it carries no such state. */
  state(slot: string): number
  weights(size: number): number
  /** Room for one step of one row; and for a block of them, where that needs more. */
  scratch(size: number, ofBlock?: number): void
}

export function padded(width: number): number {
  return Math.ceil(width / LANES) * LANES
}

export function plan(model: Model, options: PlanOptions, tools: Toolkit): Plan {
  const shapes = tools.kinds.shapes(model)
  const shapeOf = (value: string): readonly Dim[] => shapes.get(value)!
  const values: PlannedValue[] = []
  const addValue = (name: string, width: number, role: Role): number => {
    const overTime = role === 'step'
    const known = values.findIndex((value) => value.name === name && value.overTime === overTime)
    if (known >= 0) return known
    return values.push({ name, width, stride: padded(width), overTime }) - 1
  }

  const states: PlannedState[] = []
  let stateStride = 0
  let weightsSize = 0
  const scratch = { step: 0, block: 0 }
  const nodes = model.nodes.map((node): PlannedNode => {
    const layer = tools.layer(node)
    const placement = layer.place(node, shapeOf)
    for (const { name, size } of tools.kinds.statesOf(node)) {
      states.push({ name, node: node.name, size, offset: stateStride, rows: placement.rows })
      stateStride += padded(size)
    }
    /** The value behind a port: its features, or the one number of a step or a row. */
    const valueAt =
      (ports: Named<string>, met: number[]): PlanBuilder['input'] =>
      (port, role) => {
        const name = ports[port]
        if (name === undefined) return -1
        const width = shapeOf(name)[role === 'step' ? 2 : 1] ?? 1
        const value = addValue(name, Number(width), role)
        met.push(value)
        return value
      }
    const reads: number[] = []
    const makes: number[] = []
    const kernel = layer.plan(node, placement, {
      precision: options.precision,
      input: valueAt(node.inputs, reads),
      output: valueAt(node.outputs, makes),
      local: (name, width, role) => addValue(`${node.name}: ${name}`, width, role),
      width: (value) => values[value].width,
      state: (slot) => states.find(({ name }) => name === `${node.name}.${slot}`)?.offset ?? -1,
      weights(size) {
        const offset = weightsSize
        weightsSize += padded(size)
        return offset
      },
      scratch(size, ofBlock = size) {
        scratch.step = Math.max(scratch.step, padded(size))
        scratch.block = Math.max(scratch.block, padded(ofBlock))
      },
    })
    return { node, kernel, placement, reads, makes }
  })

  const { initial, stages, obstacle } = tools.arrange(model, nodes, values, shapeOf)
  const block = layOut(values, TILE_ROWS, CHUNK_STEPS, scratch.block)
  const step = layOut(values, 1, 1, scratch.step)
  const predictFrame = weightsSize + TILE_ROWS * stateStride
  const streams = predictFrame + block.size
  const streamStride = stateStride + step.size
  const planned = {
    ...options,
    ...(initial && { initial }),
    inputs: model.inputs,
    outputs: model.outputs,
    shapes: Object.fromEntries(shapes),
    values,
    states,
    stateStride,
    weightsSize,
    stages,
    block,
    step,
    obstacle,
    memory: {
      predictState: weightsSize,
      predictFrame,
      streams,
      streamStride,
      size: streams + options.streams * streamStride,
    },
  }
  return { ...planned, hash: fnv1a64(FORMAT + JSON.stringify(planned)) }
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
