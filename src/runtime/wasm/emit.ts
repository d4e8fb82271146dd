/**
 * From a Plan to a WebAssembly module: one function for a step and one for a block of each kernel.
 *
 * It is pure, and knows no trained number: weights are data in the memory that the module imports.
 */

import { asksWhichStepsCount, type FrameKernel, inFrame, type Kernel } from '../layer.ts'
import type { Plan } from '../plan.ts'
import type { Stage } from '../stages.ts'
import { createModule } from './assembler.ts'
import type { KernelFuncs, Site } from './kernels/kernel.ts'
import type { Target } from './kernels/lanes.ts'
import { createPool } from './kernels/pool.ts'
import type { Writing } from './writing.ts'

export type { Target } from './kernels/lanes.ts'

const PAGE = 65536
/** Bytes behind the plan's memory for constants: more than all activations together need. */
const POOL = 4096

/** Why a kernel has no WebAssembly version; null if it has one. */
export function obstacle(kernel: Kernel, { writers }: Writing): string | null {
  if (!inFrame(kernel)) return 'it works on whole tensors'
  const writer = writers[kernel.kind]
  return typeof writer === 'string' ? writer : null
}

/** Of the plan's memory, without the constants behind it. */
function bytesOf({ memory, precision }: Plan): number {
  return (precision === 'f32' ? 4 : 8) * memory.size
}

export function pagesOf(plan: Plan): number {
  return Math.ceil((bytesOf(plan) + POOL) / PAGE)
}

/** Whether a step of the stage is one call. */
export function isWhole({ kernels }: Stage, writing: Writing): boolean {
  return kernels.every(
    (kernel) => obstacle(kernel, writing) === null && !asksWhichStepsCount(kernel),
  )
}

/**
 * Exports `step0`, `block0`, `cell0` … by the kernel's place in the plan, and `stage0` … for a step
 * of a stage whose kernels are all there. Imports `gruv.memory`.
 */
export function emit(plan: Plan, target: Target, writing: Writing): Uint8Array<ArrayBuffer> {
  const module = createModule(writing.opcodes)
  const pages = pagesOf(plan)
  module.importMemory('gruv', 'memory', { min: pages, max: pages })
  const base = bytesOf(plan)
  const pool = target.constants === 'memory' ? createPool(base, POOL) : null
  const { activations, arithmetics } = writing
  const arithmetic = arithmetics[plan.precision]!
  const written = new Map<string, unknown>()
  const site: Site = {
    module,
    plan,
    target: { ...target, ...arithmetic, activations, pool },
    shared<T>(key: string, write: () => T): T {
      if (!written.has(key)) written.set(key, write())
      // A key names what was written under it, and so its type.
      return written.get(key) as T
    },
  }
  let index = 0
  plan.stages.forEach((stage, s) => {
    const funcs: KernelFuncs[] = []
    for (const kernel of stage.kernels) {
      if (!inFrame(kernel)) continue
      const own = write(site, kernel, writing)
      if (own !== null) {
        for (const [name, func] of Object.entries(own)) module.export(`${name}${index}`, func)
        funcs.push(own)
      }
      index++
    }
    if (!isWhole(stage, writing)) return
    const step = module.func({ name: `stage ${s}`, params: ['i32', 'i32'] }, (f, frame, state) => {
      for (const func of funcs) f.call(func.step, frame, state)
    })
    module.export(`stage${s}`, step)
  })
  if (pool !== null) module.data(base, pool.bytes())
  return module.bytes({ names: true })
}

function write(site: Site, kernel: FrameKernel, { writers }: Writing): KernelFuncs | null {
  const writer = writers[kernel.kind]
  if (typeof writer === 'string') return null
  // The table's type ties each kind to its kernel; TypeScript cannot follow an index.
  return (writer as (site: Site, kernel: FrameKernel) => KernelFuncs)(site, kernel)
}
