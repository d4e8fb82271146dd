/** Splits the rows of a batch over workers in a program's `predictAsync`. */

import { GruvError, isGruvError } from '../../errors.ts'
import type { Engine, EngineReport } from '../engine/engine.ts'
import type { Layers } from '../layers.ts'
import type { Plan } from '../plan/types.ts'
import type { AsyncRunOptions, CompileOptions, Program } from '../program.ts'
import { readInputs } from '../run/inputs.ts'
import { readRun } from '../run/predict.ts'
import type { Purpose } from '../wasm/emit.ts'
import { codeOf } from '../wasm/engine.ts'
import { prebuiltCode } from '../wasm/prebuilt.ts'
import { targetHere } from '../wasm/target.ts'
import type { SharedCode, Weights } from './messages.ts'
import { Pool } from './pool.ts'
import { cut, join, whyTogether } from './split.ts'

/** The same program, with workers from the first `predictAsync` on that has several rows. */
export function withThreads(
  program: Program,
  model: Weights,
  layers: Layers,
  engine: Engine,
  options: CompileOptions & { readonly threads: number },
): Program {
  const { threads } = options
  const { plan } = program
  let why = whyTogether(plan)
  let weights = model
  let pool: Promise<Pool> | null = null
  let opened: Pool | null = null
  let open = true
  const closed = (): GruvError => new GruvError('closed', 'this program was closed')

  const openPool = async (): Promise<Pool> => {
    const code = await sharedCode(plan, layers, engine, options)
    opened = await Pool.open(plan, code, () => weights)
    return opened
  }
  /** As many workers as that; null where there can be none. */
  const workers = async (count: number): Promise<Pool | null> => {
    try {
      pool ??= openPool()
      const there = await pool
      if (!open) throw closed()
      const refusal = await there.reach(count)
      if (!open) throw closed()
      if (refusal === null) return there
      why = `this host has no workers: ${refusal}`
      there.release()
    } catch (error) {
      if (!open || isGruvError(error)) throw error
      why = `this host has no workers: ${error instanceof Error ? error.message : error}`
    }
    return null
  }
  const predictAsync = async <Name extends string>(
    x: Parameters<Program['predictAsync']>[0],
    runOptions: AsyncRunOptions<Name> = {},
  ) => {
    const alone = () => program.predictAsync(x, runOptions)
    if (why !== null || !open) return alone()
    const request = readRun(plan, readInputs(plan.inputs, x), runOptions)
    if (request.inputs.batch < 2) return alone()
    const parts = cut(request, threads)
    const there = await workers(parts.length)
    if (there === null) return alone()
    const { onProgress } = runOptions
    const shares = parts.map(() => 0)
    const results = await there.run(parts, (part, share) => {
      shares[part] = share
      onProgress?.(shares.reduce((a, b) => a + b, 0) / shares.length)
    })
    onProgress?.(1)
    return join<Name>(request, results)
  }

  return {
    ...program,
    get engine(): EngineReport {
      const { engine: report } = program
      return why === null ? { ...report, threads } : { ...report, threads: 1, whyOneThread: why }
    },
    predictAsync,
    setWeights(next) {
      program.setWeights(next)
      weights = next
      opened?.setWeights(next)
    },
    close() {
      open = false
      program.close()
      opened?.close(closed())
    },
  }
}

/** The code that the program runs, and what of it is yet to be compiled. */
async function sharedCode(
  plan: Plan,
  layers: Layers,
  engine: Engine,
  { artifact, deterministic = false }: CompileOptions,
): Promise<SharedCode | null> {
  if (engine.report.kind === 'js') return null
  if (artifact !== undefined) {
    const { target, moduleAsync } = prebuiltCode(artifact, plan, deterministic)
    return { target, modules: [{ purpose: 'all', module: await moduleAsync('block') }] }
  }
  const target = targetHere(plan, deterministic)
  // A program that can stream asks for steps when it is made.
  const purposes: readonly Purpose[] = plan.obstacle === null ? ['block', 'step'] : ['block']
  const code = codeOf(plan, target, layers)
  const modules = purposes.map(async (purpose) => ({
    purpose,
    module: await code.moduleAsync(purpose),
  }))
  return { target, modules: await Promise.all(modules) }
}
