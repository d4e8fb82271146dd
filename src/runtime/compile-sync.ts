/** Compiles a model without waiting, for worklets: everything that any model needs is imported. */

import type { Model } from '../model/types.ts'
import { allLayers } from './all-layers.ts'
import { chooseEngineSync } from './engine/choose-sync.ts'
import type { Engine } from './engine/engine.ts'
import type { Layers } from './layers.ts'
import { checkPlan } from './plan/claim.ts'
import { plan } from './plan/plan.ts'
import { type CompileOptions, checkOptions, createProgram, type Program } from './program.ts'
import { withThreads } from './threads/program.ts'

/** `compile` without waiting. @throws GruvError as `compile`. */
export function compileSync(model: Model, options: CompileOptions = {}): Program {
  const { program, engine, threads } = compileAlone(model, options, allLayers)
  if (threads === 1) return program
  return withThreads(program, model, allLayers, engine, { ...options, threads })
}

/** A program in the caller's thread, and how many threads were asked for. */
export function compileAlone(
  model: Model,
  options: CompileOptions,
  layers: Layers,
): { readonly program: Program; readonly engine: Engine; readonly threads: number } {
  const { threads, ...planOptions } = checkOptions(options)
  const planned = plan(model, planOptions, layers)
  checkPlan(model, planned, options.limits)
  const engine = chooseEngineSync(planned, layers, options)
  const program = createProgram(model, planned, layers, engine, options.limits)
  return { program, engine, threads }
}
