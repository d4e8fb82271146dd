/**
 * Programs without waiting, for worklets and for whoever has everything loaded anyway; and with them
 * all that `compile` fetches when a model, a machine or an option needs more than is at hand. It is
 * one piece on purpose: bundlers cut what pieces share into as many pieces again.
 */

import type { Model } from '../model/types.ts'
import { allTools } from './all.ts'
import type { EngineOptions } from './choose.ts'
import type { Engine } from './engine.ts'
import { given } from './given.ts'
import { planOptions } from './options.ts'
import { chooseAny, withoutWasm } from './otherwise.ts'
import { type Plan, plan } from './plan.ts'
import { type CompileOptions, createProgram, type Program } from './program.ts'
import { withThreads } from './threads/program.ts'
import { codeOf, createWasmEngine, runsHere, targetHere } from './wasm/engine.ts'

export { withoutWasm }

/** `compile` for what is not at hand. */
export async function compileAny(model: Model, options: CompileOptions): Promise<Program> {
  const planned = plan(model, planOptions(options), allTools)
  const engine = await chooseAny(planned, allTools, options)
  const program = createProgram(model, planned, allTools, engine)
  return withThreads(program, model, allTools, engine, options)
}

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
  const emitted = artifact && given(artifact, planned, deterministic)
  let refusal: unknown
  if (engine !== 'js' && runsHere(planned)) {
    try {
      const code = emitted ?? codeOf(planned, targetHere(planned, deterministic), allTools)
      return createWasmEngine(planned, allTools, code)
    } catch (error) {
      refusal = error
    }
  }
  return withoutWasm(planned, allTools, engine, refusal)
}
