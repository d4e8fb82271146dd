/**
 * From a Plan to a WebAssembly module: one function for a step and one for a block of each kernel.
 *
 * It is pure, and knows no trained number: weights are data in the memory that the module imports.
 */

import { asksWhichStepsCount, type FrameKernel, inFrame } from '../layer.ts'
import type { Plan } from '../plan.ts'
import { createModule } from './assembler.ts'
import type { Entry, KernelWriter, Routine, Site } from './kernels/kernel.ts'
import { type Target, writing } from './kernels/lanes.ts'
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

/** Of the plan's memory, without the constants behind it. */
function bytesOf({ memory, precision }: Plan): number {
  return (precision === 'f32' ? 4 : 8) * memory.size
}

export function pagesOf(plan: Plan): number {
  return Math.ceil((bytesOf(plan) + purposes.length * POOL) / PAGE)
}

/**
 * Exports by the kernel's place in the plan `step0` …, `block0` …, and `cell0` … where the graph itself
 * says which steps count, which is JavaScript's to read; `stage0` … for all steps of a stage that are
 * there; and `space`, for `Engine.space`. Imports `gruv.memory`.
 * @param purpose of the module; `all` for one that serves every purpose.
 */
export function emit(
  plan: Plan,
  target: Target,
  { writer, writers, arithmetics, activations, softmax }: Writing,
  purpose: Purpose | 'all',
): Uint8Array<ArrayBuffer> {
  const module = createModule(writer)
  const pages = pagesOf(plan)
  module.importMemory('gruv', 'memory', pages, pages)
  const base = bytesOf(plan) + (purpose === 'all' ? 0 : purposes.indexOf(purpose) * POOL)
  const pool = target.constants === 'memory' ? createPool(base, POOL) : null
  const style = { ...target, ...arithmetics[plan.precision]!, activations, softmax, pool }
  const site: Site = {
    plan,
    target: style,
    func: (name, write, params = write.length - 1) =>
      module.func({ name, params: Array<'i32'>(params).fill('i32') }, (f, ...at) =>
        write(writing(style, f), ...at),
      ),
  }
  if (purpose !== 'step') module.export('space', writeSpace(site))
  let index = 0
  plan.stages.forEach(({ kernels }, s) => {
    const steps: Routine[] = []
    for (const kernel of kernels.filter(inFrame)) {
      const writer = writers[kernel.kind]
      const add = (entry: Entry): Routine => {
        // The table's type ties each kind to its kernel; TypeScript cannot follow an index.
        const routine = (writer as KernelWriter<FrameKernel>)(site, kernel, entry)
        module.export(entry + index, routine)
        return routine
      }
      if (typeof writer !== 'string') {
        if (asksWhichStepsCount(kernel)) add('cell')
        else {
          if (purpose !== 'block') steps.push(add('step'))
          if (purpose !== 'step') add('block')
        }
      }
      index++
    }
    if (purpose === 'block') return
    const stage = site.func(`stage ${s}`, (k, frame, state) => {
      for (const step of steps) k.f.call(step, frame, state)
    })
    module.export(`stage${s}`, stage)
  })
  if (pool !== null) module.data(base, pool.bytes())
  return module.bytes()
}
