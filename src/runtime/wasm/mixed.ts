/**
 * Stages of which a step is more than one call: what has no WebAssembly version runs in JavaScript on
 * the same memory, and where the graph itself says which steps count, JavaScript reads it.
 */

import type { LayerNode } from '../../model/types.ts'
import type { Engine } from '../engine.ts'
import { jsKernels } from '../js/layers.ts'
import { createPlace, keepNodes } from '../js/place.ts'
import { overSteps, type Step as StepOf } from '../js/steps.ts'
import {
  asksWhichStepsCount,
  type FrameKernel,
  type Kernel,
  type RecurrentKernel,
} from '../layer.ts'
import type { Plan } from '../plan.ts'
import { isWhole, obstacle } from './coverage.ts'
import type { Purpose } from './emit.ts'
import type { Step, Wasm } from './engine.ts'
import type { Writing } from './writing.ts'

/** One step of one row anywhere. */
type Cell = (x: number, h: number, out: number, scratch: number, states: number) => void

export function mixedEngine(plan: Plan, writing: Writing, wasm: Wasm): Engine {
  const { engine, exportsFor, kernels, runBlock, shift } = wasm
  const fallbacks = plan.stages.flatMap((stage) =>
    stage.kernels.flatMap((kernel) => {
      const why = obstacle(kernel, writing)
      return why === null ? [] : [{ node: kernel.node, why }]
    }),
  )
  const runJs = jsKernels(plan)
  const inJs = (kernel: Kernel): kernel is FrameKernel => obstacle(kernel, writing) !== null

  // Made beforehand and changed in place: a step allocates nothing.
  const nodes = new Map<string, LayerNode>()
  const blockPlace = createPlace(plan, engine.memory, plan.block, nodes)
  const stepPlace = createPlace(plan, engine.memory, plan.step, nodes)
  const cellOf = (kernel: Kernel, purpose: Purpose) =>
    exportsFor(purpose)[`cell${kernels.indexOf(kernel)}`] as Cell
  const callCell: StepOf<RecurrentKernel, Cell> = (_, cell, _memory, x, h, out, scratch, states) =>
    cell(x << shift, h << shift, out << shift, scratch << shift, states << shift)
  const stepOf = (kernel: Kernel): (() => void) => {
    if (inJs(kernel)) return () => runJs(kernel, stepPlace)
    if (asksWhichStepsCount(kernel)) {
      const cell = cellOf(kernel, 'step')
      return () => overSteps(kernel, stepPlace, cell, callCell)
    }
    const step = exportsFor('step')[`step${kernels.indexOf(kernel)}`] as Step
    return () => step(stepPlace.frame << shift, stepPlace.state << shift)
  }
  const steps = plan.stages.map((stage) =>
    plan.obstacle !== null || isWhole(stage, writing) ? null : stage.kernels.map(stepOf),
  )

  return {
    ...engine,
    report: { ...engine.report, fallbacks },
    step(s, frame, state) {
      const kernels = steps[s]
      if (kernels === null) return engine.step(s, frame, state)
      stepPlace.frame = frame
      stepPlace.state = state
      for (let i = 0; i < kernels.length; i++) kernels[i]()
    },
    block(s, piece) {
      Object.assign(blockPlace, piece)
      for (const kernel of plan.stages[s].kernels) {
        if (inJs(kernel)) runJs(kernel, blockPlace)
        else if (asksWhichStepsCount(kernel))
          overSteps(kernel, blockPlace, cellOf(kernel, 'block'), callCell)
        else runBlock(kernel, piece)
      }
    },
    setWeights(model, plan) {
      keepNodes(nodes, model)
      engine.setWeights(model, plan)
    },
  }
}
