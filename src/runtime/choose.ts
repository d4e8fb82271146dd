/** Which engine runs a plan. */

import { GruvError } from '../errors.ts'
import { type Artifact, artifactTarget, checkArtifact } from './artifact.ts'
import { createJsEngine, type Engine } from './engine.ts'
import type { Plan } from './plan.ts'
import { compileModuleAsync, createWasmEngine, targetHere, whyNotWasm } from './wasm/engine.ts'

export interface EngineOptions {
  /** The same bits on every engine and machine. */
  readonly deterministic?: boolean
  /** `wasm` throws where there is none, rather than fall back. */
  readonly engine?: 'auto' | 'wasm' | 'js'
  /** Code that was emitted before, for hosts that forbid compiling. Its hash is checked. */
  readonly artifact?: Artifact
}

/** @throws GruvError `engine-unavailable` when WebAssembly was asked for and is not to be had. */
export function chooseEngine(
  plan: Plan,
  { engine = 'auto', deterministic = false, artifact }: EngineOptions,
  module?: WebAssembly.Module,
): Engine {
  if (artifact) checkArtifact(artifact, plan, deterministic)
  if (engine === 'js') return createJsEngine(plan)
  let why = whyNotWasm(plan)
  let cause: unknown
  if (why === null) {
    const target = artifact ? artifactTarget(artifact) : targetHere(plan, deterministic)
    try {
      return createWasmEngine(plan, target, module ?? (artifact && moduleOf(artifact)))
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
  const { engine, deterministic = false, artifact } = options
  if (engine === 'js' || whyNotWasm(plan) !== null) return chooseEngine(plan, options)
  try {
    const module = await (artifact
      ? moduleOfAsync(artifact)
      : compileModuleAsync(plan, targetHere(plan, deterministic)))
    return chooseEngine(plan, options, module)
  } catch (error) {
    if (error instanceof GruvError) throw error
    // It will fail at once as well, and say so.
    return chooseEngine(plan, options)
  }
}

function moduleOf({ code }: Artifact): WebAssembly.Module {
  return code instanceof Uint8Array ? new WebAssembly.Module(code as BufferSource) : code
}

async function moduleOfAsync({ code }: Artifact): Promise<WebAssembly.Module> {
  return code instanceof Uint8Array ? WebAssembly.compile(code as BufferSource) : code
}
