/**
 * Emits a WebAssembly module for a Plan: one function for a step and one for a block of each kernel.
 *
 * It is pure, and knows no trained number: weights are data in the memory that the module imports.
 */

import { type FrameKernel, hasStepMask, inFrame } from '../plan/kernels.ts'
import type { Plan } from '../plan/types.ts'
import type { OwnBytes } from './assembler/encoding.ts'
import { createModule } from './assembler/module.ts'
import type { CodegenContext, Entry, KernelWriter, Routine } from './kernels/context.ts'
import { type Arithmetic, createEmitter } from './kernels/emitter.ts'
import type { KernelWriters } from './kernels/layers.ts'
import { createPool } from './kernels/pool.ts'
import { writeRepack } from './kernels/repack.ts'
import type { Target } from './target.ts'

/** What code is made from: kernels by kind of layer, arithmetic by precision. */
export interface CodegenTables {
  readonly kernels: Partial<KernelWriters>
  readonly arithmetics: Partial<Readonly<Record<Plan['precision'], Arithmetic>>>
}

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
 * there; and `space`, for `Engine.repack`. Imports `gruv.memory`.
 * @param purpose of the module; `all` for one that serves every purpose.
 */
export function emit(
  plan: Plan,
  target: Target,
  { kernels, arithmetics }: CodegenTables,
  purpose: Purpose | 'all',
): OwnBytes {
  const module = createModule()
  const pages = pagesOf(plan)
  module.importMemory('gruv', 'memory', pages, pages)
  const base = bytesOf(plan) + (purpose === 'all' ? 0 : purposes.indexOf(purpose) * POOL)
  const pool = target.constants === 'memory' ? createPool(base, POOL) : null
  const config = { ...target, ...arithmetics[plan.precision]!, pool }
  const context: CodegenContext = {
    plan,
    config,
    func: (name, write, params = write.length - 1) =>
      module.func({ name, params: Array<'i32'>(params).fill('i32') }, (f, ...at) =>
        write(createEmitter(config, f), ...at),
      ),
  }
  if (purpose !== 'step') module.export('space', writeRepack(context))
  let index = 0
  plan.stages.forEach((planned, s) => {
    const steps: Routine[] = []
    for (const kernel of planned.kernels.filter(inFrame)) {
      const writer = kernels[kernel.kind]
      const add = (entry: Entry): Routine => {
        // The table's type ties each kind to its kernel; TypeScript cannot follow an index.
        const routine = (writer as KernelWriter<FrameKernel>)(context, kernel, entry)
        module.export(entry + index, routine)
        return routine
      }
      if (typeof writer !== 'string') {
        if (hasStepMask(kernel)) add('cell')
        else {
          if (purpose !== 'block') steps.push(add('step'))
          if (purpose !== 'step') add('block')
        }
      }
      index++
    }
    if (purpose === 'block') return
    const stage = context.func(`stage ${s}`, (k, frame, state) => {
      for (const step of steps) k.f.call(step, frame, state)
    })
    module.export(`stage${s}`, stage)
  })
  if (pool !== null) module.data(base, pool.bytes())
  return module.bytes()
}
