/** Which engine runs a plan. */

import { GruvError } from '../errors.ts'
import type { Artifact } from './artifact.ts'
import type { Engine } from './engine.ts'
import type { Plan } from './plan.ts'
import type { Toolkit } from './toolkit.ts'
import {
  compileModuleAsync,
  createWasmEngine,
  firstPurpose,
  needsJs,
  targetHere,
  whyNotWasm,
} from './wasm/engine.ts'

export interface EngineOptions {
  /** The same bits on every engine and machine. */
  readonly deterministic?: boolean
  /** `wasm` throws where there is none, rather than fall back. */
  readonly engine?: 'auto' | 'wasm' | 'js'
  /** Code that was emitted before, for hosts that forbid compiling. Its hash is checked. */
  readonly artifact?: Artifact
}

/**
 * Compiles in the background, and fetches the JavaScript kernels only where something runs on them.
 * @throws GruvError `engine-unavailable` when WebAssembly was asked for and is not to be had.
 */
export async function chooseEngine(
  plan: Plan,
  tools: Toolkit,
  { engine = 'auto', deterministic = false, artifact }: EngineOptions,
): Promise<Engine> {
  const more = () => import('./at-once.ts')
  const given = artifact && (await more()).givenBy(artifact, plan, deterministic)
  if (engine === 'js') return (await more()).createJsEngine(plan, tools)
  let why = whyNotWasm(plan)
  let cause: unknown
  if (why === null) {
    try {
      const target = given?.target ?? targetHere(plan, deterministic)
      const purpose = given ? 'all' : firstPurpose(plan)
      const module = await (given?.moduleAsync() ??
        compileModuleAsync(plan, target, tools, firstPurpose(plan)))
      const js = needsJs(plan, tools) ? (await more()).jsKernels(plan) : null
      return createWasmEngine(plan, target, tools, { purpose, module }, js)
    } catch (error) {
      cause = error
      why = refusal(error)
    }
  }
  if (engine === 'wasm') throw unavailable(why, cause)
  return (await more()).createJsEngine(plan, tools, why)
}

/** Of a policy that forbids compiling, or of too little memory. */
export function refusal(error: unknown): string {
  return `the host refused it: ${error instanceof Error ? error.message : error}`
}

export function unavailable(why: string, cause: unknown): GruvError {
  return new GruvError('engine-unavailable', 'this model cannot run in WebAssembly here', {
    got: why,
    fix: "Leave `engine` at 'auto'.",
    cause,
  })
}
