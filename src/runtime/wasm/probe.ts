/**
 * Asks what the engine can do, by validating the smallest module that needs it.
 *
 * Validation compiles nothing and takes microseconds. A page whose Content-Security-Policy forbids
 * compiling still says yes here, and says no when it is asked to compile: that is for the caller of
 * `compile` to expect.
 */

import type { OwnBytes } from './assembler/encoding.ts'
import { createModule, type FunctionBody, type Local } from './assembler/module.ts'

/** The part of the global scope that is looked at. */
export interface Scope {
  readonly WebAssembly?: { validate(bytes: OwnBytes): boolean } | undefined
}

/** Modules as of the first version. */
export function hasWasm(scope?: Scope): boolean {
  return validates(undefined, scope)
}

export function hasSimd(scope?: Scope): boolean {
  return validates(({ f32x4, local }, v) => local.set(v, f32x4.add(v, v)), scope)
}

/** Fused multiply-add, where the machine has it. Nothing says whether it does. */
export function hasRelaxedSimd(scope?: Scope): boolean {
  return validates(({ f32x4, local }, v) => local.set(v, f32x4.relaxed_madd(v, v, v)), scope)
}

function validates(
  write?: (f: FunctionBody, v: Local<'v128'>) => unknown,
  { WebAssembly }: Scope = globalThis,
): boolean {
  const module = createModule()
  if (write) module.func({ params: ['v128'] }, write)
  try {
    // Hermes has no WebAssembly; a host that forbids it may leave an object that throws.
    return WebAssembly?.validate(module.bytes()) ?? false
  } catch {
    return false
  }
}
