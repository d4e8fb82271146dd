/**
 * Runs a Plan in WebAssembly, kernel by kernel.
 *
 * Memory is fixed when the engine is made, because growing it would detach every view of it.
 */

import { type Engine, type Piece, packAll } from '../engine.ts'
import { inFrame, isRecurrentKernel, type Kernel } from '../layer.ts'
import { STEP } from '../masks.ts'
import type { Plan } from '../plan.ts'
import type { Toolkit } from '../toolkit.ts'
import { emit, type Purpose, pagesOf, type Target } from './emit.ts'
import { hasRelaxedSimd, hasSimd } from './probe.ts'

export type Step = (frame: number, state: number) => void
type Block = (frame: number, state: number, rows: number, steps: number, start: number) => void

type Space = (to: number, toStride: number, from: number, fromStride: number, count: number) => void

/** What positive numbers of 32 bits address. */
const MOST_PAGES = 32768

/** Whether this plan can run in WebAssembly here, if the host lets it. */
export function runsHere(plan: Plan): boolean {
  return hasSimd() && pagesOf(plan) <= MOST_PAGES
}

/** What to write the code for, on this machine. */
export function targetHere({ precision }: Plan, deterministic = false): Target {
  // No feature tells how code is generated. This one came with V8 13.5 and has nothing to do with it.
  const recent = 'Float16Array' in globalThis
  // Who asks for float64 wants the number rather than speed: nothing is fused there.
  const fused = precision === 'f32' && !deterministic && hasRelaxedSimd()
  // Three sums to a vector. V8 before 13 runs out of registers with more than six, and with unrolled
  // loops as well. Later ones hold twelve; for two inputs at once only where a product needs no
  // register of its own. In float64 twelve gain a tenth for one input: four units are six of them.
  if (!recent) return { fused, vectors: 2, pairVectors: 1, unroll: 1, constants: 'code' }
  return { fused, vectors: 4, pairVectors: fused ? 2 : 1, unroll: 4, constants: 'memory' }
}

/** What a program needs first; the rest is written when it is first used. */
export function firstPurpose({ obstacle }: Plan): Purpose {
  return obstacle === null ? 'step' : 'block'
}

type Modules = { [P in Purpose]?: WebAssembly.Module }

/** Compiled code by plan and target, for as long as a program uses it. */
const compiled = new Map<string, WeakRef<Modules>>()

/** The code of a plan on a target, written and compiled when it is asked for. */
export interface Code {
  readonly target: Target
  /** @throws WebAssembly.CompileError where the host forbids compiling. */
  readonly module: (purpose: Purpose) => WebAssembly.Module
  /** The same in the background, as browsers want it for large modules. */
  readonly moduleAsync: (purpose: Purpose) => Promise<WebAssembly.Module>
}

export function codeOf(plan: Plan, target: Target, { writing }: Toolkit): Code {
  const key = `${plan.hash} ${JSON.stringify(target)}`
  const modules = compiled.get(key)?.deref() ?? {}
  compiled.set(key, new WeakRef(modules))
  const write = (purpose: Purpose) => emit(plan, target, writing, purpose)
  return {
    target,
    module: (purpose) => (modules[purpose] ??= new WebAssembly.Module(write(purpose))),
    async moduleAsync(purpose) {
      modules[purpose] ??= await WebAssembly.compile(write(purpose))
      return modules[purpose]
    },
  }
}

/** What an engine is made of, for whoever runs kernels one by one (`mixed.ts`). */
export interface Wasm {
  readonly engine: Engine
  /** Of the module of a purpose, which is compiled when it is first asked for. */
  readonly exportsFor: (purpose: Purpose) => WebAssembly.Exports
  /** Kernels in the order of their numbers in the names of exports. */
  readonly kernels: readonly Kernel[]
  readonly runBlock: (kernel: Kernel, piece: Piece) => void
  /** From elements to bytes. */
  readonly shift: number
}

/** @param code of this plan: a module for each purpose, or one for all. */
export function createWasmEngine(
  plan: Plan,
  tools: Toolkit,
  { target, module }: Pick<Code, 'target' | 'module'>,
): Engine {
  const pages = pagesOf(plan)
  const wasmMemory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const [Numbers, shift] = plan.precision === 'f32' ? [Float32Array, 2] : [Float64Array, 3]
  const memory = new Numbers(wasmMemory.buffer, 0, plan.memory.size)
  const instances: { [P in Purpose]?: WebAssembly.Exports } = {}
  const exportsFor: Wasm['exportsFor'] = (purpose) => {
    instances[purpose] ??= new WebAssembly.Instance(module(purpose), {
      gruv: { memory: wasmMemory },
    }).exports
    return instances[purpose]
  }
  const first = exportsFor(firstPurpose(plan))
  const steps = plan.stages.map((_, s) => first[`stage${s}`] as Step)
  const kernels: readonly Kernel[] = plan.stages.flatMap((stage) => stage.kernels).filter(inFrame)
  const { predictFrame: frame, predictState: state } = plan.memory
  const place = { memory, layout: plan.block, stateStride: plan.stateStride, frame, state }
  let blocks: readonly Block[] | undefined
  let space: Space | undefined
  const runBlock: Wasm['runBlock'] = (kernel, piece) => {
    if (piece.code !== STEP.valid && isRecurrentKernel(kernel))
      return tools.passOver(kernel, Object.assign(place, piece))
    // Looked up once: a masked sequence may be as many pieces as it has steps.
    blocks ??= kernels.map((_, i) => exportsFor('block')[`block${i}`] as Block)
    const block = blocks[kernels.indexOf(kernel)]
    block(frame << shift, state << shift, piece.rows, piece.steps, Number(piece.start))
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
    block(s, piece) {
      for (const kernel of plan.stages[s].kernels) runBlock(kernel, piece)
    },
    space(to, toStride, from, fromStride, count) {
      space ??= exportsFor('block').space as Space
      space(to << shift, toStride << shift, from << shift, fromStride << shift, count)
    },
    setWeights: (model, plan) => packAll(tools, model, plan, memory),
  }
  const wasm = { engine, exportsFor, kernels, runBlock, shift }
  return tools.mixed?.(plan, tools.writing, wasm) ?? engine
}
