/** Runs a Plan in plain JavaScript. */

import type { LayerNode } from '../../model/types.ts'
import { type Engine, packAll } from '../engine.ts'
import { inFrame } from '../layer.ts'
import type { Plan } from '../plan.ts'
import type { Toolkit } from '../toolkit.ts'
import { jsKernels } from './layers.ts'
import { createPlace, keepNodes } from './place.ts'

/** Kernels in plain JavaScript, for both precisions. `why`: why not in WebAssembly, if it was wanted. */
export function createJsEngine(plan: Plan, tools: Toolkit, why?: string): Engine {
  const float32 = plan.precision === 'f32'
  const memory = float32 ? new Float32Array(plan.memory.size) : new Float64Array(plan.memory.size)
  const run = jsKernels(plan)
  // Changed in place: a step allocates nothing.
  const nodes = new Map<string, LayerNode>()
  const stepPlace = createPlace(plan, memory, plan.step, nodes)
  const blockPlace = createPlace(plan, memory, plan.block, nodes)
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
      stepPlace.frame = frame
      stepPlace.state = state
      for (let i = 0; i < kernels.length; i++) run(kernels[i], stepPlace)
    },
    block(stage, piece) {
      const kernels = stages[stage]
      Object.assign(blockPlace, piece)
      for (let i = 0; i < kernels.length; i++) run(kernels[i], blockPlace)
    },
    space(to, toStride, from, fromStride, count) {
      const width = Math.max(toStride, fromStride)
      for (let i = 0; i < count; i++)
        for (let j = 0; j < width; j++)
          memory[to + i * toStride + j] = memory[from + i * fromStride + j]
    },
    setWeights(model, plan) {
      keepNodes(nodes, model)
      packAll(tools, model, plan, memory)
    },
  }
}
