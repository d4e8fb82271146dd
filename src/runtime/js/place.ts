/** Where kernels in plain JavaScript work. */

import type { LayerNode, Model } from '../../model/types.ts'
import type { JsPlace } from '../layer.ts'
import { STEP } from '../masks.ts'
import type { FrameLayout, Plan } from '../plan.ts'

/** One row and one step of predict, until somebody says otherwise. */
export function createPlace(
  plan: Plan,
  memory: Float32Array | Float64Array,
  layout: FrameLayout,
  nodes: ReadonlyMap<string, LayerNode>,
): JsPlace {
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

/** Learns of the nodes of a model, or of others that are in their place now. */
export function keepNodes(nodes: Map<string, LayerNode>, model: Pick<Model, 'nodes'>): void {
  for (const node of model.nodes) nodes.set(node.name, node)
}
