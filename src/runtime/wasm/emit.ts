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
import { writeSpace } from './kernels/space.ts'
import type { Writing } from './writing.ts'

export type { Target } from './kernels/lanes.ts'

const PAGE = 65536
/** Bytes behind the plan's memory for the constants of a module: more than all activations together need. */
const POOL = 4096

/**
 * What a module is for: steps of streams, or blocks of predict. Each is written when it is first
 * used, and has constants of its own.
 */
const purposes = ['step', 'block'] as const
export type Purpose = (typeof purposes)[number]

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
  return Math.ceil((bytesOf(plan) + purposes.length * POOL) / PAGE)
}

/** Whether a step of the stage is one call. */
export function isWhole({ kernels }: Stage, writing: Writing): boolean {
  return kernels.every(
    (kernel) => obstacle(kernel, writing) === null && !asksWhichStepsCount(kernel),
  )
}

/**
 * Exports `stage0` … for a step of a stage whose kernels are all there, and by the kernel's place in
 * the plan: `step0` … where they are not, `block0` …, and `cell0` … where the graph itself says which
 * steps count, which is JavaScript's to read. Imports `gruv.memory`.
 * @param purpose of the module; `all` for one that serves every purpose.
 */
export function emit(
  plan: Plan,
  target: Target,
  writing: Writing,
  purpose: Purpose | 'all',
): Uint8Array<ArrayBuffer> {
  const module = createModule(writing.writer())
  const pages = pagesOf(plan)
  module.importMemory('gruv', 'memory', pages, pages)
  const base = bytesOf(plan) + (purpose === 'all' ? 0 : purposes.indexOf(purpose) * POOL)
  const serves = (other: Purpose): boolean => purpose === 'all' || purpose === other
  const pool = target.constants === 'memory' ? createPool(base, POOL) : null
  const { activations, softmax, arithmetics } = writing
  const arithmetic = arithmetics[plan.precision]!
  const written = new Map<string, unknown>()
  const site: Site = {
    module,
    plan,
    target: { ...target, ...arithmetic, activations, softmax, pool },
    shared<T>(key: string, write: () => T): T {
      if (!written.has(key)) written.set(key, write())
      // A key names what was written under it, and so its type.
      return written.get(key) as T
    },
  }
  if (serves('block')) module.export('space', writeSpace(site))
  let index = 0
  plan.stages.forEach((stage, s) => {
    const funcs: KernelFuncs[] = []
    const whole = isWhole(stage, writing)
    for (const kernel of stage.kernels) {
      if (!inFrame(kernel)) continue
      const own = write(site, kernel, writing)
      if (own !== null) {
        if (asksWhichStepsCount(kernel)) module.export(`cell${index}`, own.cell!())
        else {
          if (serves('step') && !whole) module.export(`step${index}`, own.step())
          if (serves('block')) module.export(`block${index}`, own.block())
        }
        funcs.push(own)
      }
      index++
    }
    if (!whole || !serves('step')) return
    const steps = funcs.map(({ step }) => step())
    const step = module.func({ name: `stage ${s}`, params: ['i32', 'i32'] }, (f, frame, state) => {
      for (const func of steps) f.call(func, frame, state)
    })
    module.export(`stage${s}`, step)
  })
  if (pool !== null) module.data(base, pool.bytes())
  return module.bytes()
}

function write(site: Site, kernel: FrameKernel, { writers }: Writing): KernelFuncs | null {
  const writer = writers[kernel.kind]
  if (typeof writer === 'string') return null
  // The table's type ties each kind to its kernel; TypeScript cannot follow an index.
  return (writer as (site: Site, kernel: FrameKernel) => KernelFuncs)(site, kernel)
}
