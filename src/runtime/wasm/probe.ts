/**
 * What the engine can do, asked by validating the smallest module that needs it.
 *
 * Validation compiles nothing. A page whose Content-Security-Policy forbids compiling still says yes
 * here, and says no when it is asked to compile: that is for the caller of `compile` to expect.
 */

export interface Features {
  /** Modules as of the first version. */
  readonly wasm: boolean
  readonly simd: boolean
  /** Fused multiply-add, where the machine has it. Nothing says whether it does. */
  readonly relaxedSimd: boolean
  /** Memory that workers can share. In browsers also the page must be cross-origin isolated. */
  readonly sharedMemory: boolean
}

/** The part of the global scope that is looked at. */
export interface Scope {
  readonly WebAssembly?: { validate(bytes: Uint8Array<ArrayBuffer>): boolean } | undefined
  readonly SharedArrayBuffer?: unknown
}

// Every module begins with a magic number and its version: "\0asm", 1.
// (module)
const WASM = '0061736d 01000000'

// (module (func (drop (i32x4.splat (i32.const 0)))))
const SIMD = `${WASM} 01040160 0000 03020100 0a090107 004100fd 111a0b`

// (module (func (param v128) (drop (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))))
const RELAXED_SIMD = `${WASM} 01050160 017b00 03020100 0a0e010c 00200020 002000fd 85021a0b`

// (module (memory 1 1 shared))
const SHARED_MEMORY = `${WASM} 05040103 0101`

/** One answer for each scope: it does not change while a program runs. */
const answers = new WeakMap<Scope, Features>()

export function features(scope: Scope = globalThis): Features {
  let answer = answers.get(scope)
  if (answer === undefined) {
    answer = Object.freeze({
      wasm: validates(scope, WASM),
      simd: validates(scope, SIMD),
      relaxedSimd: validates(scope, RELAXED_SIMD),
      // A page that is not isolated may create such a memory, but send it to no worker; then
      // browsers hide the constructor.
      sharedMemory: scope.SharedArrayBuffer !== undefined && validates(scope, SHARED_MEMORY),
    })
    answers.set(scope, answer)
  }
  return answer
}

function validates(scope: Scope, hex: string): boolean {
  const bytes = hex.match(/\w\w/g)!.map((byte) => Number.parseInt(byte, 16))
  try {
    // Hermes has no WebAssembly; a host that forbids it may leave an object that throws.
    return scope.WebAssembly?.validate(Uint8Array.from(bytes)) ?? false
  } catch {
    return false
  }
}
