/** Runs a Plan in plain JavaScript. */

import type { LayerNode } from '../../model/types.ts'
import type { Engine } from '../engine/engine.ts'
import { inFrame } from '../plan/kernels.ts'
import type { LayerPlans } from '../plan/layers.ts'
import { packWeights } from '../plan/plan.ts'
import type { Plan } from '../plan/types.ts'
import { createCursor, keepNodes } from './cursor.ts'
import { jsKernels } from './layers.ts'

/** Kernels in plain JavaScript, for both precisions. `why`: why not in WebAssembly, if it was wanted. */
export function createJsEngine(plan: Plan, plans: Partial<LayerPlans>, why?: string): Engine {
  const float32 = plan.precision === 'f32'
  const memory = float32 ? new Float32Array(plan.memory.size) : new Float64Array(plan.memory.size)
  const run = jsKernels(plan)
  // Changed in place: a step allocates nothing.
  const nodes = new Map<string, LayerNode>()
  const stepCursor = createCursor(plan, memory, plan.step, nodes)
  const blockCursor = createCursor(plan, memory, plan.block, nodes)
  const stages = plan.stages.map(({ kernels }) => kernels.filter(inFrame))
  return {
    report: {
      kind: 'js',
      simd: 'none',
      precision: plan.precision,
      deterministic: true,
      fallbacks: why === undefined ? [] : [{ node: null, why }],
    },
    memory,
    step(stage, frame, state) {
      const kernels = stages[stage]
      stepCursor.frame = frame
      stepCursor.state = state
      for (let i = 0; i < kernels.length; i++) run(kernels[i], stepCursor)
    },
    block(stage, tile) {
      const kernels = stages[stage]
      Object.assign(blockCursor, tile)
      for (let i = 0; i < kernels.length; i++) run(kernels[i], blockCursor)
    },
    repack(to, toStride, from, fromStride, count) {
      const width = Math.max(toStride, fromStride)
      for (let i = 0; i < count; i++)
        for (let j = 0; j < width; j++)
          memory[to + i * toStride + j] = memory[from + i * fromStride + j]
    },
    setWeights(model) {
      keepNodes(nodes, model)
      packWeights(model, plan, plans, memory)
    },
  }
}
