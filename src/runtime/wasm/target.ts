/** Chooses what code is written for: this machine, or any. */

import type { Plan } from '../plan/types.ts'
import { hasRelaxedSimd } from './probe.ts'

export interface Target {
  /** Products and sums in one rounding, where the machine can; else in two, as JavaScript does. */
  readonly fused: boolean
  /** Vectors of units a kernel works on at a time, for one input and for two at once. */
  readonly vectors: number
  readonly pairVectors: number
  /** Rows of weights for each turn of a loop. */
  readonly unroll: number
  /** Where numbers that are known while writing stand. */
  readonly constants: 'code' | 'memory'
}

/** What to write the code for, on this machine. */
export function targetHere({ precision }: Plan, deterministic: boolean): Target {
  // No feature tells how code is generated. This one came with V8 13.5 and has nothing to do with it.
  const recent = 'Float16Array' in globalThis
  // Float64 is asked for the sake of accuracy rather than speed: nothing is fused there.
  const fused = precision === 'f32' && !deterministic && hasRelaxedSimd()
  // Three sums to a vector. V8 before 13 runs out of registers with more than six, and with unrolled
  // loops as well. Later ones hold twelve; for two inputs at once only where a product needs no
  // register of its own. In float64 twelve gain a tenth for one input: four units are six of them.
  if (!recent) return { fused, vectors: 2, pairVectors: 1, unroll: 1, constants: 'code' }
  return { fused, vectors: 4, pairVectors: fused ? 2 : 1, unroll: 4, constants: 'memory' }
}

/** As engines since V8 13 like it; older ones run it, if not as fast. */
export function portableTarget(deterministic: boolean): Target {
  const vectors = deterministic ? { vectors: 2, pairVectors: 1 } : { vectors: 4, pairVectors: 2 }
  return { fused: !deterministic, ...vectors, unroll: 4, constants: 'memory' }
}

/**
 * `WebAssembly.Module`, where the types of a host have one (the DOM's do, some of Node's do not).
 */
export type WasmModule = typeof globalThis extends {
  readonly WebAssembly: { readonly Module: { readonly prototype: infer Module } }
}
  ? Module
  : object
