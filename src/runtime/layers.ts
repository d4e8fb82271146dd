/**
 * The runtime's table of layers: how each kind is planned, how its weights are packed, whether it
 * can run step by step, and its kernels. Shapes and states are the model's (`model/layers.ts`);
 * the float64 reference has a table of its own, so that the oracle shares nothing with the engines.
 */

import type { LayerKind, LayerNode } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import { type DenseKernel, dense } from './js/dense.ts'
import { type GruKernel, gru } from './js/gru.ts'
import { type MergeKernel, merge } from './js/merge.ts'
import type { Ops } from './js/ops.ts'
import { type ReverseKernel, reverse } from './js/reverse.ts'
import type { Masks } from './masks.ts'
import type { FrameLayout, PlanBuilder, Sweep } from './plan.ts'

/** A planned node: what its kernel must know, as plain data. */
export type Kernel = GruKernel | DenseKernel | MergeKernel | ReverseKernel

/** Where a kernel works: which part of memory, on how many rows and steps of it. */
export interface Place {
  readonly memory: Float32Array | Float64Array
  readonly layout: FrameLayout
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

export interface LayerRuntime<N extends LayerNode, K extends Kernel> {
  /** Whether a step needs nothing but the steps before it; if not, why. */
  readonly causal: (node: N) => true | string
  /** How it runs where its values run over time. */
  readonly sweep: (node: N) => Sweep
  readonly plan: (node: N, builder: PlanBuilder) => K
  /** Writes the node's trained numbers where the kernel expects them. */
  readonly pack: (node: N, kernel: K, memory: Float32Array | Float64Array) => void
  readonly js: (kernel: K, ops: Ops, place: Place) => void
  /** Instead of `js`, for layers that sweep `whole`: on these rows of whole tensors, by value index. */
  readonly whole?: (
    kernel: K,
    values: ReadonlyMap<number, Tensor>,
    firstRow: number,
    rows: number,
  ) => void
}

type LayerTable = {
  readonly [K in LayerKind]?: LayerRuntime<
    Extract<LayerNode, { kind: K }>,
    Extract<Kernel, { kind: K }>
  >
}

const layerTable: LayerTable = { gru, dense, merge, reverse }

function entry<N extends LayerNode, K extends Kernel>(kind: LayerKind): LayerRuntime<N, K> {
  // The table's type ties each kind to its node and kernel; TypeScript cannot follow an index.
  return layerTable[kind] as unknown as LayerRuntime<N, K>
}

export function planKernel(node: LayerNode, builder: PlanBuilder): Kernel {
  return entry(node.kind).plan(node, builder)
}

export function packWeights(
  node: LayerNode,
  kernel: Kernel,
  memory: Float32Array | Float64Array,
): void {
  entry(node.kind).pack(node, kernel, memory)
}

export function causal(node: LayerNode): true | string {
  return entry(node.kind).causal(node)
}

export function runJs(kernel: Kernel, ops: Ops, place: Place): void {
  entry(kernel.kind).js(kernel, ops, place)
}

/** Nodes that no value over time touches run once, whatever they are. */
export function sweepOf(node: LayerNode, overTime: boolean): Sweep {
  return overTime ? entry(node.kind).sweep(node) : 'once'
}

export function runWhole(
  kernel: Kernel,
  values: ReadonlyMap<number, Tensor>,
  firstRow: number,
  rows: number,
): void {
  entry(kernel.kind).whole!(kernel, values, firstRow, rows)
}
