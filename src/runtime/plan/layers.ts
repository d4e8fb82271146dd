/** Lists how each kind of layer is planned: what it runs over, how it is laid out, how its weights are packed. */

import type { LayerKind, LayerNode, NodeOf, TensorNode } from '../../model/types.ts'
import type { FrameKind, Kernel, KernelOf } from './kernels.ts'
import { dense } from './layers/dense.ts'
import { gru } from './layers/gru.ts'
import type { LayerPlan } from './types.ts'

/** By kind; layers that only work on whole tensors have no row. */
export type LayerPlans<K extends LayerKind = Exclude<LayerKind, TensorNode['kind']>> = {
  readonly [P in K]: P extends FrameKind ? LayerPlan<NodeOf<P>, KernelOf<P>> : never
}

/** The kinds that most models are made of. */
export const corePlans: LayerPlans<'gru' | 'dense'> = { gru, dense }

/** How a node is planned in frames; null where it only works on whole tensors. */
export function planOf(
  plans: Partial<LayerPlans>,
  { kind }: LayerNode,
): LayerPlan<LayerNode, Kernel> | null {
  // The table's type ties each kind to its node and kernel; TypeScript cannot follow an index.
  const rows: Partial<Record<LayerKind, unknown>> = plans
  return (rows[kind] ?? null) as LayerPlan<LayerNode, Kernel> | null
}
