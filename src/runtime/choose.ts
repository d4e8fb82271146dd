/** Which engine runs a plan. */

import { GruvError } from '../errors.ts'
import { createJsEngine, type Engine } from './engine.ts'
import type { Plan } from './plan.ts'
import { compileModuleAsync, createWasmEngine, targetHere, whyNotWasm } from './wasm/engine.ts'

export interface EngineOptions {
  /** The same bits on every engine and machine. */
  readonly deterministic?: boolean
  /** `wasm` throws where there is none, rather than fall back. */
  readonly engine?: 'auto' | 'wasm' | 'js'
}

/** @throws GruvError `engine-unavailable` when WebAssembly was asked for and is not to be had. */
export function chooseEngine(
  plan: Plan,
  { engine = 'auto', deterministic = false }: EngineOptions,
  module?: WebAssembly.Module,
): Engine {
  if (engine === 'js') return createJsEngine(plan)
  let why = whyNotWasm(plan)
  let cause: unknown
  if (why === null) {
    try {
      return createWasmEngine(plan, targetHere(deterministic), module)
    } catch (error) {
      cause = error
      // A policy that forbids compiling, or no memory.
      why = `the host refused it: ${error instanceof Error ? error.message : error}`
    }
  }
  if (engine === 'auto') return createJsEngine(plan, why)
  throw new GruvError('engine-unavailable', 'this model cannot run in WebAssembly here', {
    got: why,
    fix: "Leave `engine` at 'auto'.",
    cause,
  })
}

/** Compiles in the background what `chooseEngine` would compile at once. */
export async function chooseEngineAsync(plan: Plan, options: EngineOptions): Promise<Engine> {
  const { engine, deterministic = false } = options
  if (engine === 'js' || whyNotWasm(plan) !== null) return chooseEngine(plan, options)
  try {
    const module = await compileModuleAsync(plan, targetHere(deterministic))
    return chooseEngine(plan, options, module)
  } catch (error) {
    if (error instanceof GruvError) throw error
    // It will fail at once as well, and say so.
    return chooseEngine(plan, options)
  }
}
