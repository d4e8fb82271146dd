/** What a plan runs on where WebAssembly of its own is not wanted, or not to be had. */

import { GruvError } from '../errors.ts'
import { chooseEngine, type EngineOptions } from './choose.ts'
import type { Engine } from './engine.ts'
import { given } from './given.ts'
import { createJsEngine } from './js/engine.ts'
import type { Plan } from './plan.ts'
import type { Toolkit } from './toolkit.ts'
import { createWasmEngine, runsHere } from './wasm/engine.ts'
import { hasSimd, hasWasm } from './wasm/probe.ts'

/** `chooseEngine` where JavaScript may be asked for, or code may be given. */
export async function chooseAny(
  plan: Plan,
  tools: Toolkit,
  options: EngineOptions,
): Promise<Engine> {
  const { artifact, deterministic = false, engine = 'auto' } = options
  const code = artifact && given(artifact, plan, deterministic)
  if (engine === 'js') return createJsEngine(plan, tools)
  if (code === undefined) return chooseEngine(plan, tools, options)
  if (!runsHere(plan)) return withoutWasm(plan, tools, engine, undefined)
  try {
    await code.moduleAsync()
    return createWasmEngine(plan, tools, code)
  } catch (error) {
    return withoutWasm(plan, tools, engine, error)
  }
}

/** @throws GruvError `engine-unavailable` when WebAssembly was asked for. */
export function withoutWasm(
  plan: Plan,
  tools: Toolkit,
  engine: NonNullable<EngineOptions['engine']>,
  refusal: unknown,
): Engine {
  if (engine === 'js') return createJsEngine(plan, tools)
  const why = whyNotWasm(refusal)
  if (engine === 'auto') return createJsEngine(plan, tools, why)
  throw new GruvError('engine-unavailable', 'this model cannot run in WebAssembly here', {
    got: why,
    fix: "Leave `engine` at 'auto'.",
    cause: refusal,
  })
}

function whyNotWasm(refusal: unknown): string {
  if (!hasWasm()) return 'there is no WebAssembly here'
  if (!hasSimd()) return 'WebAssembly has no SIMD here'
  // What `runsHere` asks besides.
  if (refusal === undefined) return 'the model is larger than 2 GiB'
  // Of a policy that forbids compiling, or of too little memory.
  return `the host refused it: ${refusal instanceof Error ? refusal.message : refusal}`
}
