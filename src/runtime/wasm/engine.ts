/**
 * Runs a Plan in WebAssembly, kernel by kernel.
 *
 * Memory is fixed when the engine is made, because growing it would detach every view of it.
 */

import type { Engine, Tile } from '../engine/engine.ts'
import { inFrame, isRecurrentKernel, type Kernel } from '../plan/kernels.ts'
import type { LayerPlans } from '../plan/layers.ts'
import { packWeights } from '../plan/plan.ts'
import type { Plan } from '../plan/types.ts'
import { STEP } from '../run/masks.ts'
import { skipSteps } from '../run/skip.ts'
import { type CodegenTables, emit, type Purpose, pagesOf } from './emit.ts'
import { hasSimd } from './probe.ts'
import type { Target, WasmModule } from './target.ts'

export type StepFunction = (frame: number, state: number) => void
type BlockFunction = (
  frame: number,
  state: number,
  rows: number,
  steps: number,
  start: number,
) => void

/** What positive numbers of 32 bits address. */
export const MOST_PAGES = 32768

/** Beyond this, to write and compile the code takes seconds, and JavaScript is there at once. */
const MOST_KERNELS = 4096

/** Whether this plan can run in WebAssembly here, if the host lets it. */
export function runsHere(plan: Plan): boolean {
  const kernels = plan.stages.reduce((sum, stage) => sum + stage.kernels.length, 0)
  return hasSimd() && pagesOf(plan) <= MOST_PAGES && kernels <= MOST_KERNELS
}

/** What a program needs first; the rest is written when it is first used. */
export function firstPurpose({ obstacle }: Plan): Purpose {
  return obstacle === null ? 'step' : 'block'
}

type Modules = { [P in Purpose]?: WasmModule }

/** Compiled code by plan and target, for as long as a program uses it. */
const compiled = new Map<string, WeakRef<Modules>>()

/** The code of a plan for a target, written and compiled when it is asked for. */
export interface CompiledCode {
  readonly target: Target
  /** @throws WebAssembly.CompileError where the host forbids compiling. */
  readonly module: (purpose: Purpose) => WasmModule
  /** The same in the background, as browsers want it for large modules. */
  readonly moduleAsync: (purpose: Purpose) => Promise<WasmModule>
}

export function codeOf(plan: Plan, target: Target, tables: CodegenTables): CompiledCode {
  const key = `${plan.hash} ${JSON.stringify(target)}`
  const modules = compiled.get(key)?.deref() ?? {}
  compiled.set(key, new WeakRef(modules))
  const write = (purpose: Purpose) => emit(plan, target, tables, purpose)
  return {
    target,
    module: (purpose) => (modules[purpose] ??= new WebAssembly.Module(write(purpose))),
    async moduleAsync(purpose) {
      modules[purpose] ??= await WebAssembly.compile(write(purpose))
      return modules[purpose]
    },
  }
}

/** What a module exports, functions all of it. */
type Exports = Readonly<Record<string, unknown>>

/** An engine in WebAssembly, and the parts of it that run single kernels. */
export interface WasmParts {
  readonly engine: Engine
  /** Of the module of a purpose, which is compiled when it is first asked for. */
  readonly exportsFor: (purpose: Purpose) => Exports
  /** The numbers of kernels in the names of exports. */
  readonly numbers: ReadonlyMap<Kernel, number>
  readonly runBlock: (kernel: Kernel, tile: Tile) => void
  /** From elements to bytes. */
  readonly shift: number
}

/** @param code of this plan: a module for each purpose, or one for all. */
export function createWasmEngine(plan: Plan, plans: Partial<LayerPlans>, code: EngineCode): Engine {
  return createWasmParts(plan, plans, code).engine
}

type EngineCode = Pick<CompiledCode, 'target' | 'module'>

/** The same for engines that run JavaScript between the kernels (`mixed.ts`). */
export function createWasmParts(
  plan: Plan,
  plans: Partial<LayerPlans>,
  { target, module }: EngineCode,
): WasmParts {
  const pages = pagesOf(plan)
  const wasmMemory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const [Numbers, shift] = plan.precision === 'f32' ? [Float32Array, 2] : [Float64Array, 3]
  const memory = new Numbers(wasmMemory.buffer, 0, plan.memory.size)
  const instances: { [P in Purpose]?: Exports } = {}
  const exportsFor: WasmParts['exportsFor'] = (purpose) => {
    instances[purpose] ??= new WebAssembly.Instance(module(purpose), {
      gruv: { memory: wasmMemory },
    }).exports
    return instances[purpose]
  }
  const first = exportsFor(firstPurpose(plan))
  const steps = plan.stages.map((_, s) => first[`stage${s}`] as StepFunction)
  const kernels = plan.stages.flatMap((stage) => stage.kernels).filter(inFrame)
  const numbers = new Map<Kernel, number>(kernels.map((kernel, i) => [kernel, i]))
  const { predictFrame: frame, predictState: state } = plan.memory
  const cursor = { memory, layout: plan.block, stateStride: plan.stateStride, frame, state }
  let blocks: readonly BlockFunction[] | undefined
  let repack: Engine['repack'] | undefined
  const runBlock: WasmParts['runBlock'] = (kernel, tile) => {
    if (tile.code !== STEP.valid && isRecurrentKernel(kernel))
      return skipSteps(kernel, Object.assign(cursor, tile))
    // Looked up once: a masked sequence may be as many tiles as it has steps.
    blocks ??= kernels.map((_, i) => exportsFor('block')[`block${i}`] as BlockFunction)
    const block = blocks[numbers.get(kernel)!]
    block(frame << shift, state << shift, tile.rows, tile.steps, Number(tile.start))
  }

  const engine: Engine = {
    report: {
      kind: 'wasm',
      simd: target.fused ? 'relaxed' : 'simd128',
      precision: plan.precision,
      deterministic: !target.fused,
      fallbacks: [],
    },
    memory,
    step: (s, frame, state) => steps[s](frame << shift, state << shift),
    block(s, tile) {
      for (const kernel of plan.stages[s].kernels) runBlock(kernel, tile)
    },
    repack(to, toStride, from, fromStride, count) {
      repack ??= exportsFor('block').space as Engine['repack']
      repack(to << shift, toStride << shift, from << shift, fromStride << shift, count)
    },
    setWeights: (model) => packWeights(model, plan, plans, memory),
  }
  return { engine, exportsFor, numbers, runBlock, shift }
}
