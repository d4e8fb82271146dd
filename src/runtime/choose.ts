/** Which engine runs a plan. */

import type { Artifact } from './artifact.ts'
import type { Engine } from './engine.ts'
import type { Plan } from './plan.ts'
import type { Toolkit } from './toolkit.ts'
import { codeOf, createWasmEngine, firstPurpose, runsHere, targetHere } from './wasm/engine.ts'

export interface EngineOptions {
  /** The same bits on every engine and machine. */
  readonly deterministic?: boolean
  /** `wasm` throws where there is none, rather than fall back. */
  readonly engine?: 'auto' | 'wasm' | 'js'
  /** Code that was emitted before, for hosts that forbid compiling. Its hash is checked. */
  readonly artifact?: Artifact
}

/**
 * WebAssembly, compiled in the background; every other way is fetched.
 * @throws GruvError `engine-unavailable` when WebAssembly was asked for and is not to be had.
 */
export async function chooseEngine(
  plan: Plan,
  tools: Toolkit,
  { engine = 'auto', deterministic }: EngineOptions,
): Promise<Engine> {
  let refusal: unknown
  if (runsHere(plan)) {
    try {
      const code = codeOf(plan, targetHere(plan, deterministic), tools)
      await code.moduleAsync(firstPurpose(plan))
      return createWasmEngine(plan, tools, code)
    } catch (error) {
      refusal = error
    }
  }
  return (await import('./at-once.ts')).withoutWasm(plan, tools, engine, refusal)
}
