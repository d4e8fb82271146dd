/**
 * Programs without waiting, for worklets and for whoever has everything loaded anyway; and with them
 * all that `compile` fetches when a model, a machine or an option needs more than is at hand. It is
 * one piece on purpose: bundlers cut what pieces share into as many pieces again.
 */

import type { Model } from '../model/types.ts'
import { allTools } from './all.ts'
import { type EngineOptions, refusal, unavailable } from './choose.ts'
import type { Engine } from './engine.ts'
import { given as givenBy } from './given.ts'
import { createJsEngine, jsKernels } from './js/engine.ts'
import { type Plan, plan } from './plan.ts'
import { type CompileOptions, createProgram, type Program, planOptions } from './program.ts'
import { withThreads } from './threads/program.ts'
import {
  compileModule,
  createWasmEngine,
  firstPurpose,
  targetHere,
  whyNotWasm,
} from './wasm/engine.ts'

export { allTools, createJsEngine, givenBy, jsKernels, withThreads }

export function compileAtOnce(model: Model, options: CompileOptions = {}): Program {
  const planned = plan(model, planOptions(options), allTools)
  const engine = chooseAtOnce(planned, options)
  const program = createProgram(model, planned, allTools, engine)
  return withThreads(program, model, allTools, engine, options)
}

/** `chooseEngine` (`choose.ts`), compiling at once. */
function chooseAtOnce(
  planned: Plan,
  { engine = 'auto', deterministic = false, artifact }: EngineOptions,
): Engine {
  const given = artifact && givenBy(artifact, planned, deterministic)
  if (engine === 'js') return createJsEngine(planned, allTools)
  let why = whyNotWasm(planned)
  let cause: unknown
  if (why === null) {
    try {
      const target = given?.target ?? targetHere(planned, deterministic)
      const purpose = firstPurpose(planned)
      const module = given?.module() ?? compileModule(planned, target, allTools, purpose)
      const code = { purpose: given ? 'all' : purpose, module } as const
      return createWasmEngine(planned, target, allTools, code, jsKernels(planned))
    } catch (error) {
      cause = error
      why = refusal(error)
    }
  }
  if (engine === 'wasm') throw unavailable(why, cause)
  return createJsEngine(planned, allTools, why)
}
