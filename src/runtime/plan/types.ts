/**
 * The types of a Plan, and of what a kind of layer adds to one.
 *
 * A Plan is plain data. It knows every size and offset and no trained number, so programs of the
 * same shape share one plan hash, and with it compiled code. Offsets and sizes are in elements.
 */

import type { Dim, LayerNode, OutputPort, Port } from '../../model/types.ts'
import type { Named } from '../../tensor.ts'
import type { Kernel } from './kernels.ts'

/** The numbers of a program: weights, states, frames. */
export type Memory = Float32Array | Float64Array

/** Lanes of a 128-bit vector of float32; arrays over units are padded to it in both precisions. */
export const LANES = 4

/** Timesteps whose inputs are projected before the recurrence takes them. */
export const PROJECTED_STEPS = 16

/** Rows of a batch a predict works on at a time. */
export const TILE_ROWS = 16

export function padded(width: number): number {
  return Math.ceil(width / LANES) * LANES
}

export interface PlanOptions {
  readonly precision: 'f32' | 'f64'
  readonly streams: number
}

/** How a value stands in a frame: a vector for each step of each row, or one for each row. */
export type Role = 'step' | 'row'

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

/**
 * How a stage runs: over time, chunk by chunk, from the first step or from the last; once for each
 * row; or on whole tensors, outside the frame.
 */
export type Sweep = 'forward' | 'backward' | 'once' | 'whole'

/** What a node runs over: rows and steps of the values it reads. */
export interface Placement {
  readonly sweep: Sweep
  /** 1 where there are none. */
  readonly rows: Dim
  readonly steps: Dim
}

/** Kernels that run together. */
export interface Stage extends Placement {
  readonly kernels: readonly Kernel[]
  /** Values that come from outside the frame: graph inputs, or what an earlier stage left. */
  readonly reads: readonly number[]
  /** Values that leave the frame: graph outputs, or what a later stage needs. */
  readonly writes: readonly number[]
}

/** A node that has been planned by itself, before stages are formed. */
export interface PlannedNode {
  readonly node: LayerNode
  readonly kernel: Kernel
  readonly placement: Placement
  /** Value indices: what it reads in the frame, and makes there. */
  readonly reads: readonly number[]
  readonly makes: readonly number[]
}

/** Why a plan cannot run step by step. */
export interface Obstacle {
  /** A layer, or an input that no layer reads. */
  readonly node: string
  readonly why: string
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
  /** Null if it runs step by step. */
  readonly obstacle: Obstacle | null
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
  /** The index of the value that arrives at a port; −1 if the port is open. */
  input(port: string, role: Role): number
  /** The index of the value that leaves by a port; −1 if no layer reads it. */
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

/** How a kind of layer is planned, wherever it will be computed. */
export interface LayerPlan<N extends LayerNode, K extends Kernel> {
  /** What it runs over; null where frames cannot hold its values. */
  readonly place: (node: N, shape: (value: string) => readonly Dim[]) => Placement | null
  /** Why a step needs more than the present and the past; null if it does not. */
  readonly obstacle: (node: N) => string | null
  readonly plan: (node: N, placement: Placement, builder: PlanBuilder) => K
  /** Writes the node's trained numbers where the kernel expects them. */
  readonly pack?: (node: N, kernel: K, memory: Memory) => void
}

/** [rows, steps, features], sweeping over the steps. */
export function sweepOver(shape: readonly Dim[], sweep: 'forward' | 'backward'): Placement {
  return { sweep, rows: shape[0], steps: shape[1] }
}

/** How the values of a layer of vectors stand in the frame. */
export function roleIn({ sweep }: Placement): Role {
  return sweep === 'once' ? 'row' : 'step'
}
