/**
 * Runs a Plan in WebAssembly, kernel by kernel: what has no WebAssembly version runs in JavaScript
 * on the same memory.
 *
 * Memory is fixed when the engine is made, because growing it would detach every view of it.
 */

import type { LayerNode } from '../../model/types.ts'
import { createPlace, type Engine, packAll } from '../engine.ts'
import type { RunJs } from '../js/layers.ts'
import { overSteps, type Step as StepOf } from '../js/steps.ts'
import {
  asksWhichStepsCount,
  type FrameKernel,
  inFrame,
  isRecurrentKernel,
  type RecurrentKernel,
} from '../layer.ts'
import type { Plan } from '../plan.ts'
import type { Toolkit } from '../toolkit.ts'
import { emit, obstacle, type Purpose, pagesOf, type Target } from './emit.ts'
import { features, type Scope } from './probe.ts'

type Step = (frame: number, state: number) => void
type Block = (frame: number, state: number, rows: number, steps: number, start: number) => void
type Cell = (x: number, h: number, out: number, scratch: number, states: number) => void

interface Task {
  readonly kernel: FrameKernel
  /** In the names of exports. */
  readonly index: number
  /** Whether it has no WebAssembly version. */
  readonly inJs: boolean
  /** What a step of a stream calls, unless its whole stage is one call. */
  readonly step: Step | null
  readonly cell: Cell | null
}

/** What positive numbers of 32 bits address. */
const MOST_PAGES = 32768

/** Why this plan cannot run in WebAssembly here; null if it can. */
export function whyNotWasm(plan: Plan, scope: Scope = globalThis): string | null {
  const { wasm, simd } = features(scope)
  if (!wasm) return 'there is no WebAssembly here'
  if (!simd) return 'WebAssembly has no SIMD here'
  if (pagesOf(plan) > MOST_PAGES) return 'the model is larger than 2 GiB'
  return null
}

/** What to write the code for, on this machine. */
export function targetHere({ precision }: Plan, deterministic: boolean): Target {
  // No feature tells how code is generated. This one came with V8 13.5 and has nothing to do with it.
  const recent = 'Float16Array' in globalThis
  // Who asks for float64 wants the number rather than speed: nothing is fused there.
  const fused = precision === 'f32' && !deterministic && features().relaxedSimd
  // Three sums to a vector. V8 before 13 runs out of registers with more than six, and with unrolled
  // loops as well. Later ones hold twelve; for two inputs at once only where a product needs no
  // register of its own. In float64 twelve gain a tenth for one input: four units are six of them.
  if (!recent) return { fused, vectors: 2, pairVectors: 1, unroll: 1, constants: 'code' }
  return { fused, vectors: 4, pairVectors: fused ? 2 : 1, unroll: 4, constants: 'memory' }
}

/** Compiled code by plan and target, for as long as a program uses it. */
const modules = new Map<string, WeakRef<WebAssembly.Module>>()

/** Code of a plan that is compiled: for one purpose, or for all where it was emitted beforehand. */
export interface Code {
  readonly purpose: Purpose | 'all'
  readonly module: WebAssembly.Module
}

/** What a program needs first; the rest is written when it is first used. */
export function firstPurpose({ obstacle }: Plan): Purpose {
  return obstacle === null ? 'step' : 'block'
}

function keyOf({ hash }: Plan, target: Target, purpose: Purpose): string {
  return `${hash} ${purpose} ${JSON.stringify(target)}`
}

/** @throws WebAssembly.CompileError where the host forbids compiling. */
export function compileModule(
  plan: Plan,
  target: Target,
  tools: Toolkit,
  purpose: Purpose,
): WebAssembly.Module {
  const key = keyOf(plan, target, purpose)
  const known = modules.get(key)?.deref()
  const module = known ?? new WebAssembly.Module(emit(plan, target, tools.writing, purpose))
  modules.set(key, new WeakRef(module))
  return module
}

/** Code that was compiled elsewhere; whoever gives it holds it as long as it is to be found. */
export function keepModule(
  plan: Plan,
  target: Target,
  purpose: Purpose,
  module: WebAssembly.Module,
): void {
  modules.set(keyOf(plan, target, purpose), new WeakRef(module))
}

/** The same in the background, as browsers want it for large modules. */
export async function compileModuleAsync(
  plan: Plan,
  target: Target,
  tools: Toolkit,
  purpose: Purpose,
): Promise<WebAssembly.Module> {
  const key = keyOf(plan, target, purpose)
  const known = modules.get(key)?.deref()
  const module = known ?? (await WebAssembly.compile(emit(plan, target, tools.writing, purpose)))
  modules.set(key, new WeakRef(module))
  return module
}

/** Whether kernels in the middle of the plan have no WebAssembly version. */
export function needsJs({ stages }: Plan, { writing }: Toolkit): boolean {
  return stages.some(({ kernels }) =>
    kernels.some((kernel) => inFrame(kernel) && obstacle(kernel, writing) !== null),
  )
}

/** @param js for kernels that have no WebAssembly version; null where there are none. */
export function createWasmEngine(
  plan: Plan,
  target: Target,
  tools: Toolkit,
  code: Code,
  js: RunJs | null,
): Engine {
  const pages = pagesOf(plan)
  const wasmMemory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const float32 = plan.precision === 'f32'
  const Numbers = float32 ? Float32Array : Float64Array
  const memory = new Numbers(wasmMemory.buffer, 0, plan.memory.size)
  /** From elements to bytes. */
  const shift = float32 ? 2 : 3
  const at = (offset: number): number => offset << shift
  const callCell: StepOf<RecurrentKernel, Cell> = (_, cell, _memory, x, h, out, scratch, states) =>
    cell(at(x), at(h), at(out), at(scratch), at(states))
  const instances = new Map<Purpose | 'all', WebAssembly.Exports>()
  const exportsFor = (wanted: Purpose): WebAssembly.Exports => {
    const purpose = code.purpose === 'all' ? 'all' : wanted
    const known = instances.get(purpose)
    if (known !== undefined) return known
    const module =
      purpose === code.purpose ? code.module : compileModule(plan, target, tools, wanted)
    const { exports } = new WebAssembly.Instance(module, { gruv: { memory: wasmMemory } })
    instances.set(purpose, exports)
    return exports
  }

  const steps = plan.obstacle === null ? exportsFor('step') : {}
  let count = 0
  const tasks = plan.stages.map(({ kernels }) =>
    kernels.filter(inFrame).map((kernel): Task => {
      const index = count++
      return {
        kernel,
        index,
        inJs: obstacle(kernel, tools.writing) !== null,
        step: (steps[`step${index}`] ?? null) as Step | null,
        cell: (steps[`cell${index}`] ?? null) as Cell | null,
      }
    }),
  )
  const stages = plan.stages.map((_, s) => (steps[`stage${s}`] ?? null) as Step | null)
  const fallbacks = plan.stages.flatMap(({ kernels }) =>
    kernels.flatMap((kernel) => {
      const why = obstacle(kernel, tools.writing)
      return why === null ? [] : [{ node: kernel.node, why }]
    }),
  )
  // Changed in place: a step allocates nothing.
  const nodes = new Map<string, LayerNode>()
  const stepPlace = createPlace(plan, memory, plan.step, nodes)
  const blockPlace = createPlace(plan, memory, plan.block, nodes)

  return {
    report: {
      kind: 'wasm',
      simd: target.fused ? 'relaxed' : 'simd128',
      precision: plan.precision,
      deterministic: !target.fused,
      fallbacks,
    },
    memory,
    step(s, frame, state) {
      const stage = stages[s]
      if (stage !== null) return stage(frame << shift, state << shift)
      const kernels = tasks[s]
      stepPlace.frame = frame
      stepPlace.state = state
      for (let i = 0; i < kernels.length; i++) {
        const { kernel, inJs, step, cell } = kernels[i]
        if (inJs) js!(kernel, stepPlace)
        else if (isRecurrentKernel(kernel) && asksWhichStepsCount(kernel))
          overSteps(kernel, stepPlace, cell!, callCell)
        else step!(frame << shift, state << shift)
      }
    },
    block(s, piece) {
      Object.assign(blockPlace, piece)
      const { rows, steps, start, masks } = piece
      const [frame, state] = [blockPlace.frame << shift, blockPlace.state << shift]
      for (const { kernel, index, inJs } of tasks[s]) {
        if (inJs) js!(kernel, blockPlace)
        // Which steps count is JavaScript's to know; what a step computes stays the same.
        else if (isRecurrentKernel(kernel) && (masks !== null || asksWhichStepsCount(kernel))) {
          const cell = exportsFor('cell')[`cell${index}`] as Cell
          overSteps(kernel, blockPlace, cell, callCell)
        } else {
          const block = exportsFor('block')[`block${index}`] as Block
          block(frame, state, rows, steps, Number(start))
        }
      }
    },
    setWeights: (model, plan) => packAll(tools, model, plan, memory, nodes),
  }
}
