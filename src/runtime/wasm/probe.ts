/**
 * What the engine can do, asked by validating the smallest module that needs it.
 *
 * Validation compiles nothing and takes microseconds. A page whose Content-Security-Policy forbids
 * compiling still says yes here, and says no when it is asked to compile: that is for the caller of
 * `compile` to expect.
 */

import { createModule, type FunctionBody, type Local } from './assembler.ts'
import { plainWriter } from './plain.ts'

export interface Features {
  /** Modules as of the first version. */
  readonly wasm: boolean
  readonly simd: boolean
  /** Fused multiply-add, where the machine has it. Nothing says whether it does. */
  readonly relaxedSimd: boolean
}

/** The part of the global scope that is looked at. */
export interface Scope {
  readonly WebAssembly?: { validate(bytes: Uint8Array<ArrayBuffer>): boolean } | undefined
}

export function features(scope: Scope = globalThis): Features {
  const validates = (write?: (f: FunctionBody, v: Local<'v128'>) => unknown): boolean => {
    const module = createModule(plainWriter)
    if (write !== undefined) module.func({ params: ['v128'] }, write)
    try {
      // Hermes has no WebAssembly; a host that forbids it may leave an object that throws.
      return scope.WebAssembly?.validate(module.bytes()) ?? false
    } catch {
      return false
    }
  }
  return {
    wasm: validates(),
    simd: validates((f, v) => f.local.set(v, f.f32x4.add(v, v))),
    relaxedSimd: validates((f, v) => f.local.set(v, f.f32x4.relaxed_madd(v, v, v))),
  }
}
