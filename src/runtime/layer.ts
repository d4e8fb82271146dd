/** What layers are to a plan: kernels as plain data, where they run, and how their weights lie. */

import type { Dim, LayerKind, LayerNode } from '../model/types.ts'
import type { Ops } from './js/ops.ts'
import type { ActivationKernel } from './layers/activation.ts'
import type { AffineKernel, BatchNormKernel } from './layers/affine.ts'
import type { Conv1dKernel } from './layers/conv1d.ts'
import type { DenseKernel } from './layers/dense.ts'
import type { EmbeddingKernel } from './layers/embedding.ts'
import type { GruKernel } from './layers/gru.ts'
import type { LayerNormKernel } from './layers/layer-norm.ts'
import type { LstmKernel } from './layers/lstm.ts'
import type { MaskingKernel } from './layers/masking.ts'
import type { MergeKernel } from './layers/merge.ts'
import type { PreluKernel } from './layers/prelu.ts'
import type { RnnKernel } from './layers/rnn.ts'
import type { FrameLayout, PlanBuilder, Role } from './plan.ts'
import type { Placement } from './stages.ts'

/** A planned layer that carries a state from step to step. */
export type RecurrentKernel = GruKernel | LstmKernel | RnnKernel

/** A planned node that works in frames: what its kernel must know, as plain data. */
export type FrameKernel =
  | RecurrentKernel
  | DenseKernel
  | ActivationKernel
  | PreluKernel
  | AffineKernel
  | BatchNormKernel
  | LayerNormKernel
  | EmbeddingKernel
  | MaskingKernel
  | Conv1dKernel
  | MergeKernel

/** A planned node that works on whole tensors. */
export interface WholeKernel {
  readonly kind: 'whole'
  readonly node: string
  readonly layer: LayerKind
  /** Names of the graph's values. */
  readonly inputs: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, string>>
  /** What else makes the layer what it is, but for its trained numbers. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A planned node. */
export type Kernel = FrameKernel | WholeKernel

/** Where a kernel works: which part of memory, on how many rows and steps of it (`Piece`). */
export interface Place {
  readonly memory: Float32Array | Float64Array
  readonly layout: FrameLayout
  frame: number
  /** The state row of the first row. */
  state: number
  stateStride: number
  rows: number
  steps: number
  firstStep: number
  start: boolean
  code: number
  missing: boolean
}

export interface JsPlace extends Place {
  /** Trained numbers that stay outside the memory, by node. */
  readonly nodes: ReadonlyMap<string, LayerNode>
}

/** How a kind of layer is planned, wherever it will be computed. */
export interface LayerPlan<N extends LayerNode, K extends FrameKernel> {
  /** What it runs over; null where frames cannot hold it. */
  readonly place: (node: N, shape: (value: string) => readonly Dim[]) => Placement | null
  readonly plan: (node: N, placement: Placement, builder: PlanBuilder) => K
  /** Writes the node's trained numbers where the kernel expects them. */
  readonly pack?: (node: N, kernel: K, memory: Float32Array | Float64Array) => void
}

/** The same of a node of whatever kind, on whole tensors too. */
export interface Layer {
  readonly place: (node: LayerNode, shape: (value: string) => readonly Dim[]) => Placement
  readonly plan: (node: LayerNode, placement: Placement, builder: PlanBuilder) => Kernel
  readonly pack?: (node: LayerNode, kernel: Kernel, memory: Float32Array | Float64Array) => void
}

export type FrameKind = FrameKernel['kind']

/** The kernel of a kind in plain JavaScript. */
export type JsLayer<K extends FrameKernel> = (kernel: K, ops: Ops, place: JsPlace) => void

export function isRecurrentKernel(kernel: Kernel): kernel is RecurrentKernel {
  return kernel.kind === 'gru' || kernel.kind === 'lstm' || kernel.kind === 'rnn'
}

/** Whether a kernel is the engine's to run. */
export function inFrame(kernel: Kernel): kernel is FrameKernel {
  return kernel.kind !== 'whole'
}

/** Whether a layer may have to pass over steps, which is JavaScript's to know. */
export function asksWhichStepsCount(kernel: Kernel): kernel is RecurrentKernel {
  return isRecurrentKernel(kernel) && (kernel.mask ?? kernel.lengths) !== undefined
}

/** [rows, steps, features], sweeping over the steps. */
export function sweepOver(shape: readonly Dim[], sweep: 'forward' | 'backward'): Placement {
  return { sweep, rows: shape[0], steps: shape[1] }
}

/**
 * Where layers of a vector run: [rows, features] once, [rows, steps, features] step by step;
 * null for anything else.
 */
export function overVectors(shape: readonly Dim[]): Placement | null {
  if (typeof shape.at(-1) !== 'number') return null
  if (shape.length === 2) return { sweep: 'once', rows: shape[0], steps: 1 }
  return shape.length === 3 ? sweepOver(shape, 'forward') : null
}

/** How the values of a layer of vectors stand in the frame. */
export function roleIn({ sweep }: Placement): Role {
  return sweep === 'once' ? 'row' : 'step'
}
