/**
 * Runs a plan in WebAssembly with JavaScript between the kernels: what has no WebAssembly version
 * works on the same memory, and where the graph itself says which steps count, JavaScript reads it.
 */

import type { LayerNode } from '../../model/types.ts'
import type { Engine } from '../engine/engine.ts'
import { createCursor, keepNodes } from '../js/cursor.ts'
import { jsKernels } from '../js/layers.ts'
import { type CellStep, overSteps } from '../js/steps.ts'
import {
  type FrameKernel,
  hasStepMask,
  type Kernel,
  type RecurrentKernel,
} from '../plan/kernels.ts'
import type { LayerPlans } from '../plan/layers.ts'
import type { Plan } from '../plan/types.ts'
import type { Purpose } from './emit.ts'
import { type CompiledCode, createWasmParts, type StepFunction } from './engine.ts'
import { fallbacksOf } from './fallbacks.ts'
import type { KernelWriters } from './kernels/layers.ts'
import { hasKernel, isOneCall } from './needs-js.ts'

/** One step of one row anywhere. */
type CellFunction = (x: number, h: number, out: number, scratch: number, states: number) => void

/** @param code of this plan: a module for each purpose, or one for all. */
export function createMixedEngine(
  plan: Plan,
  plans: Partial<LayerPlans>,
  writers: Partial<KernelWriters>,
  code: Pick<CompiledCode, 'target' | 'module'>,
): Engine {
  const { engine, exportsFor, numbers, runBlock, shift } = createWasmParts(plan, plans, code)
  const runJs = jsKernels(plan)
  const inJs = (kernel: Kernel): kernel is FrameKernel => !hasKernel(kernel, writers)

  // Made beforehand and changed in place: a step allocates nothing.
  const nodes = new Map<string, LayerNode>()
  const blockCursor = createCursor(plan, engine.memory, plan.block, nodes)
  const stepCursor = createCursor(plan, engine.memory, plan.step, nodes)
  const cellOf = (kernel: Kernel, purpose: Purpose) =>
    exportsFor(purpose)[`cell${numbers.get(kernel)}`] as CellFunction
  const callCell: CellStep<RecurrentKernel, CellFunction> = (
    _,
    cell,
    _memory,
    x,
    h,
    out,
    scratch,
    states,
  ) => cell(x << shift, h << shift, out << shift, scratch << shift, states << shift)
  const stepOf = (kernel: Kernel): (() => void) => {
    if (inJs(kernel)) return () => runJs(kernel, stepCursor)
    if (hasStepMask(kernel)) {
      const cell = cellOf(kernel, 'step')
      return () => overSteps(kernel, stepCursor, cell, callCell)
    }
    const step = exportsFor('step')[`step${numbers.get(kernel)}`] as StepFunction
    return () => step(stepCursor.frame << shift, stepCursor.state << shift)
  }
  const steps = plan.stages.map((stage) =>
    plan.obstacle !== null || isOneCall(stage, writers) ? null : stage.kernels.map(stepOf),
  )

  return {
    ...engine,
    report: { ...engine.report, fallbacks: fallbacksOf(plan, writers) },
    step(s, frame, state) {
      const kernels = steps[s]
      if (kernels === null) return engine.step(s, frame, state)
      stepCursor.frame = frame
      stepCursor.state = state
      for (let i = 0; i < kernels.length; i++) kernels[i]()
    },
    block(s, tile) {
      Object.assign(blockCursor, tile)
      for (const kernel of plan.stages[s].kernels) {
        if (inJs(kernel)) runJs(kernel, blockCursor)
        else if (hasStepMask(kernel))
          overSteps(kernel, blockCursor, cellOf(kernel, 'block'), callCell)
        else runBlock(kernel, tile)
      }
    },
    setWeights(model) {
      keepNodes(nodes, model)
      engine.setWeights(model)
    },
  }
}
