/** Makes the cursors of kernels in plain JavaScript: where in memory they work, and on which nodes. */

import type { LayerNode, Model } from '../../model/types.ts'
import type { Cursor } from '../engine/engine.ts'
import type { FrameKernel } from '../plan/kernels.ts'
import type { FrameLayout, Memory, Plan } from '../plan/types.ts'
import { STEP } from '../run/masks.ts'
import type { Ops } from './ops.ts'

export interface JsCursor extends Cursor {
  /** Trained numbers that stay outside the memory, by node. */
  readonly nodes: ReadonlyMap<string, LayerNode>
}

/** The kernel of a kind in plain JavaScript. */
export type JsLayer<K extends FrameKernel> = (kernel: K, ops: Ops, cursor: JsCursor) => void

/** One row and one step of predict, until it is moved. */
export function createCursor(
  plan: Plan,
  memory: Memory,
  layout: FrameLayout,
  nodes: ReadonlyMap<string, LayerNode>,
): JsCursor {
  return {
    memory,
    layout,
    nodes,
    stateStride: plan.stateStride,
    frame: plan.memory.predictFrame,
    state: plan.memory.predictState,
    rows: 1,
    steps: 1,
    firstStep: 0,
    start: false,
    code: STEP.valid,
    missing: false,
  }
}

/** Stores the nodes of a model, or those that replace them. */
export function keepNodes(nodes: Map<string, LayerNode>, model: Pick<Model, 'nodes'>): void {
  for (const node of model.nodes) nodes.set(node.name, node)
}
