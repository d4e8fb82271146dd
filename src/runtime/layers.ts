/**
 * The runtime's table of layers: what each kind runs over, how it is planned, how its weights are
 * packed, whether it can run step by step, and its kernel. Shapes and states are the model's
 * (`model/layers.ts`). What has no entry here works on whole tensors (`whole.ts`); so does a layer
 * whose values have more axes than frames hold.
 */

import type { Dim, LayerKind, LayerNode, NodeOf } from '../model/types.ts'
import { type ActivationKernel, activation } from './js/activation.ts'
import { type AffineKernel, affine, type BatchNormKernel, batchNorm } from './js/affine.ts'
import { type Conv1dKernel, conv1d } from './js/conv1d.ts'
import { type DenseKernel, dense } from './js/dense.ts'
import { type EmbeddingKernel, embedding } from './js/embedding.ts'
import { type GruKernel, gru } from './js/gru.ts'
import { type LayerNormKernel, layerNorm } from './js/layer-norm.ts'
import { type LstmKernel, lstm } from './js/lstm.ts'
import { type MaskingKernel, masking } from './js/masking.ts'
import { type MergeKernel, merge } from './js/merge.ts'
import type { Ops } from './js/ops.ts'
import { type PreluKernel, prelu } from './js/prelu.ts'
import { type RnnKernel, rnn } from './js/rnn.ts'
import type { Masks } from './masks.ts'
import type { FrameLayout, PlanBuilder, Role } from './plan.ts'
import type { Placement } from './stages.ts'
import { planWhole, type WholeKernel } from './whole.ts'

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

/** A planned node. */
export type Kernel = FrameKernel | WholeKernel

/** Where a kernel works: which part of memory, on how many rows and steps of it. */
export interface Place {
  readonly memory: Float32Array | Float64Array
  readonly layout: FrameLayout
  /** Trained numbers that stay outside the memory, by node. */
  readonly nodes: ReadonlyMap<string, LayerNode>
  frame: number
  /** The state row of the first row. */
  state: number
  stateStride: number
  rows: number
  steps: number
  /** Whether the sequence begins with these steps, in the direction of the sweep. */
  start: boolean
  /** Of the whole run; null where every step counts. */
  masks: Masks | null
  /** Where these rows and steps lie in the whole run, to find their masks. */
  firstRow: number
  firstStep: number
  allSteps: number
}

export interface LayerRuntime<N extends LayerNode, K extends FrameKernel> {
  /** Whether a step needs nothing but the steps before it; if not, why. */
  readonly causal?: (node: N) => true | string
  /** What it runs over; null where frames cannot hold it. */
  readonly place: (node: N, shape: (value: string) => readonly Dim[]) => Placement | null
  readonly plan: (node: N, placement: Placement, builder: PlanBuilder) => K
  /** Writes the node's trained numbers where the kernel expects them. */
  readonly pack?: (node: N, kernel: K, memory: Float32Array | Float64Array) => void
  readonly js: (kernel: K, ops: Ops, place: Place) => void
}

type FrameKind = FrameKernel['kind']

type LayerTable = {
  readonly [K in FrameKind]: LayerRuntime<NodeOf<K>, Extract<FrameKernel, { kind: K }>>
}

const layerTable: LayerTable = {
  gru,
  lstm,
  rnn,
  dense,
  activation,
  prelu,
  affine,
  batchNorm,
  layerNorm,
  embedding,
  masking,
  conv1d,
  merge,
}

function entry<N extends LayerNode, K extends FrameKernel>(
  kind: LayerKind,
): LayerRuntime<N, K> | undefined {
  // The table's type ties each kind to its node and kernel; TypeScript cannot follow an index.
  return (layerTable as object as Partial<Record<LayerKind, LayerRuntime<N, K>>>)[kind]
}

export function isRecurrentKernel(kernel: Kernel): kernel is RecurrentKernel {
  return kernel.kind === 'gru' || kernel.kind === 'lstm' || kernel.kind === 'rnn'
}

/** What a node runs over. */
export function placementOf(node: LayerNode, shape: (value: string) => readonly Dim[]): Placement {
  return entry(node.kind)?.place(node, shape) ?? { sweep: 'whole', rows: 1, steps: 1 }
}

export function planKernel(node: LayerNode, placement: Placement, builder: PlanBuilder): Kernel {
  if (placement.sweep === 'whole') return planWhole(node)
  return entry(node.kind)!.plan(node, placement, builder)
}

export function packWeights(
  node: LayerNode,
  kernel: Kernel,
  memory: Float32Array | Float64Array,
): void {
  if (kernel.kind !== 'whole') entry(kernel.kind)!.pack?.(node, kernel, memory)
}

export function causal(node: LayerNode): true | string {
  return entry(node.kind)?.causal?.(node) ?? true
}

export function runJs(kernel: FrameKernel, ops: Ops, place: Place): void {
  entry(kernel.kind)!.js(kernel, ops, place)
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
