/**
 * What the engine can do, asked by validating the smallest module that needs it.
 *
 * Validation compiles nothing and takes microseconds. A page whose Content-Security-Policy forbids compiling still says yes
 * here, and says no when it is asked to compile: that is for the caller of `compile` to expect.
 */

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

// Every module begins with a magic number and its version: "\0asm", 1.
// (module)
const WASM = '0061736d 01000000'

// (module (func (drop (i32x4.splat (i32.const 0)))))
const SIMD = `${WASM} 01040160 0000 03020100 0a090107 004100fd 111a0b`

// (module (func (param v128) (drop (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))))
const RELAXED_SIMD = `${WASM} 01050160 017b00 03020100 0a0e010c 00200020 002000fd 85021a0b`

export function features(scope: Scope = globalThis): Features {
  return {
    wasm: validates(scope, WASM),
    simd: validates(scope, SIMD),
    relaxedSimd: validates(scope, RELAXED_SIMD),
  }
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
