/**
 * Constants in memory, one vector each.
 *
 * V8 builds a vector constant from a 64-bit number, in three instructions, wherever it is used. Since
 * version 13 a load is cheaper: a step of 6 units takes 61 ns instead of 77 on Node 26. Before, it is
 * dearer: 79 instead of 72 on Node 20.
 */

import type { OwnBytes } from '../assembler/encoding.ts'

const VECTOR = 16

export interface Pool {
  /** Null when there is no room left: the constant has to stand in the code then. */
  addressOf(low: number, high: number): number | null
  bytes(): OwnBytes
}

export function createPool(base: number, size: number): Pool {
  const addresses = new Map<string, number>()
  const words: number[] = []
  return {
    addressOf(low, high) {
      const key = `${low} ${high}`
      const known = addresses.get(key)
      if (known !== undefined) return known
      const offset = 4 * words.length
      if (offset + VECTOR > size) return null
      words.push(low, high, low, high)
      addresses.set(key, base + offset)
      return base + offset
    },
    bytes: () => new Uint8Array(Int32Array.from(words).buffer),
  }
}
