/** Falls back to JavaScript where WebAssembly is refused. */

import { GruvError } from '../../errors.ts'
import { createJsEngine } from '../js/engine.ts'
import type { LayerPlans } from '../plan/layers.ts'
import type { Plan } from '../plan/types.ts'
import { pagesOf } from '../wasm/emit.ts'
import { MOST_PAGES } from '../wasm/engine.ts'
import { hasSimd, hasWasm } from '../wasm/probe.ts'
import type { Engine } from './engine.ts'

/**
 * @param wanted `wasm` where nothing else will do.
 * @param refusal what the host threw; undefined where WebAssembly was not even tried.
 * @throws GruvError `engine-unavailable` when WebAssembly was asked for.
 */
export function fallBack(
  plan: Plan,
  plans: Partial<LayerPlans>,
  wanted: 'auto' | 'wasm',
  refusal: unknown,
): Engine {
  const why = whyNotWasm(plan, refusal)
  if (wanted === 'auto') return createJsEngine(plan, plans, why)
  throw new GruvError('engine-unavailable', 'this model cannot run in WebAssembly here', {
    got: why,
    fix: "Leave `engine` at 'auto'.",
    cause: refusal,
  })
}

function whyNotWasm(plan: Plan, refusal: unknown): string {
  if (!hasWasm()) return 'there is no WebAssembly here'
  if (!hasSimd()) return 'WebAssembly has no SIMD here'
  // The other conditions of `runsHere`.
  if (refusal === undefined)
    return pagesOf(plan) > MOST_PAGES
      ? 'the model is larger than 2 GiB'
      : 'the model has too many layers to write code for each'
  // Of a policy that forbids compiling, or of too little memory.
  return `the host refused it: ${refusal instanceof Error ? refusal.message : refusal}`
}
