/**
 * What programs are made with: all that is particular to a kind of layer, for the kinds that a
 * model has. Planning, engines and runs are given one, and look up nothing elsewhere; so a page
 * downloads what its model needs (`at-hand.ts`), and whoever cannot wait has everything (`all.ts`).
 */

import type { StateSlot } from '../model/shapes/shape.ts'
import type { Dim, LayerKind, LayerNode, Model } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import type { FrameKernel, Kernel, LayerPlan, WholeKernel } from './layer.ts'
import type { LayerPlans } from './layers.ts'
import type { PlanBuilder } from './plan.ts'
import type { Placement } from './stages.ts'
import type { Writing } from './wasm/writing.ts'

export interface Toolkit {
  /** Of every value of a graph, by name; null where it has what this toolkit is not for. */
  readonly shapes: (
    model: Pick<Model, 'inputs' | 'nodes'>,
  ) => ReadonlyMap<string, readonly Dim[]> | null
  /** The states a node carries from step to step, named `node.slot`. */
  readonly statesOf: (node: LayerNode) => readonly StateSlot[]
  readonly plans: Partial<LayerPlans>
  /** Kernels in WebAssembly. */
  readonly writing: Writing
  /** Layers on whole tensors; null where no model of these kinds has any. */
  readonly whole: WholeLayers | null
}

export interface WholeLayers {
  readonly plan: (node: LayerNode) => WholeKernel
  /** @param extent the number behind a symbol of this run. */
  readonly run: (
    node: LayerNode,
    tensors: ReadonlyMap<string, Tensor>,
    extent: (dim: Dim) => number,
  ) => ReadonlyMap<string, Tensor>
}

function entry<N extends LayerNode, K extends FrameKernel>(
  { plans }: Toolkit,
  kind: LayerKind,
): LayerPlan<N, K> | undefined {
  // The table's type ties each kind to its node and kernel; TypeScript cannot follow an index.
  return (plans as object as Partial<Record<LayerKind, LayerPlan<N, K>>>)[kind]
}

/** What a node runs over. */
export function placementOf(
  tools: Toolkit,
  node: LayerNode,
  shape: (value: string) => readonly Dim[],
): Placement {
  return entry(tools, node.kind)?.place(node, shape) ?? { sweep: 'whole', rows: 1, steps: 1 }
}

export function planKernel(
  tools: Toolkit,
  node: LayerNode,
  placement: Placement,
  builder: PlanBuilder,
): Kernel {
  if (placement.sweep === 'whole') return tools.whole!.plan(node)
  return entry(tools, node.kind)!.plan(node, placement, builder)
}

export function packWeights(
  tools: Toolkit,
  node: LayerNode,
  kernel: Kernel,
  memory: Float32Array | Float64Array,
): void {
  if (kernel.kind !== 'whole') entry(tools, kernel.kind)!.pack?.(node, kernel, memory)
}

export function causal(tools: Toolkit, node: LayerNode): true | string {
  return entry(tools, node.kind)?.causal?.(node) ?? true
}
