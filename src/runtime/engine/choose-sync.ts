/** Chooses the engine that runs a plan without waiting: `chooseEngine`, with everything imported. */

import { createJsEngine } from '../js/engine.ts'
import type { Layers } from '../layers.ts'
import type { Plan } from '../plan/types.ts'
import { codeOf, createWasmEngine, runsHere } from '../wasm/engine.ts'
import { createMixedEngine } from '../wasm/mixed.ts'
import { needsJs } from '../wasm/needs-js.ts'
import { prebuiltCode } from '../wasm/prebuilt.ts'
import { targetHere } from '../wasm/target.ts'
import type { EngineOptions } from './choose.ts'
import type { Engine } from './engine.ts'
import { fallBack } from './fallback.ts'

/** @throws GruvError `engine-unavailable` when WebAssembly was asked for and is not available. */
export function chooseEngineSync(
  plan: Plan,
  layers: Layers,
  { engine = 'auto', deterministic = false, artifact }: EngineOptions,
): Engine {
  const code = artifact
    ? prebuiltCode(artifact, plan, deterministic)
    : codeOf(plan, targetHere(plan, deterministic), layers)
  if (engine === 'js') return createJsEngine(plan, layers.plans)
  let refusal: unknown
  if (runsHere(plan)) {
    try {
      return needsJs(plan, layers.kernels)
        ? createMixedEngine(plan, layers.plans, layers.kernels, code)
        : createWasmEngine(plan, layers.plans, code)
    } catch (error) {
      refusal = error
    }
  }
  return fallBack(plan, layers.plans, engine, refusal)
}
