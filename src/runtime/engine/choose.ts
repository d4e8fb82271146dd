/** Chooses the engine that runs a plan: WebAssembly where it is available, else JavaScript. */

import type { Layers } from '../layers.ts'
import type { Plan } from '../plan/types.ts'
import { codeOf, createWasmEngine, firstPurpose, runsHere } from '../wasm/engine.ts'
import { needsJs } from '../wasm/needs-js.ts'
import type { Artifact } from '../wasm/prebuilt.ts'
import { targetHere } from '../wasm/target.ts'
import type { Engine } from './engine.ts'

export interface EngineOptions {
  /** The same bits on every engine and machine. */
  readonly deterministic?: boolean
  /** `wasm` throws where there is none, rather than fall back. */
  readonly engine?: 'auto' | 'wasm' | 'js'
  /** Code that was emitted before, for hosts that forbid compiling. Its hash is checked. */
  readonly artifact?: Artifact
}

/**
 * Fetches what this plan needs besides WebAssembly kernels, and compiles in the background.
 * `chooseEngineSync` (`choose-sync.ts`) is the same with everything imported.
 * @throws GruvError `engine-unavailable` when WebAssembly was asked for and is not available.
 */
export async function chooseEngine(
  plan: Plan,
  layers: Layers,
  { engine = 'auto', deterministic = false, artifact }: EngineOptions,
): Promise<Engine> {
  const code = artifact
    ? (await import('../wasm/prebuilt.ts')).prebuiltCode(artifact, plan, deterministic)
    : codeOf(plan, targetHere(plan, deterministic), layers)
  if (engine === 'js') return (await import('../js/engine.ts')).createJsEngine(plan, layers.plans)
  let refusal: unknown
  if (runsHere(plan)) {
    const mixed = needsJs(plan, layers.kernels) ? await import('../wasm/mixed.ts') : undefined
    try {
      await code.moduleAsync(firstPurpose(plan))
      return mixed === undefined
        ? createWasmEngine(plan, layers.plans, code)
        : mixed.createMixedEngine(plan, layers.plans, layers.kernels, code)
    } catch (error) {
      refusal = error
    }
  }
  return (await import('./fallback.ts')).fallBack(plan, layers.plans, engine, refusal)
}
