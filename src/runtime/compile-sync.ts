/** Compiles a model without waiting, for worklets: everything that any model needs is imported. */

import type { Model } from '../model/types.ts'
import { allLayers } from './all-layers.ts'
import { chooseEngineSync } from './engine/choose-sync.ts'
import { checkPlan } from './plan/claim.ts'
import { plan } from './plan/plan.ts'
import { type CompileOptions, checkOptions, createProgram, type Program } from './program.ts'
import { withThreads } from './threads/program.ts'

/** `compile` without waiting. @throws GruvError as `compile`. */
export function compileSync(model: Model, options: CompileOptions = {}): Program {
  const { threads, ...planOptions } = checkOptions(options)
  const planned = plan(model, planOptions, allLayers)
  checkPlan(model, planned, options.limits)
  const engine = chooseEngineSync(planned, allLayers, options)
  const program = createProgram(model, planned, allLayers, engine, options.limits)
  if (threads === 1) return program
  return withThreads(program, model, allLayers, engine, { ...options, threads })
}
