/**
 * Constants in memory, one vector each.
 *
 * V8 builds a vector constant from a 64-bit number, in three instructions, wherever it is used. Since
 * version 13 a load is cheaper: a step of 6 units takes 61 ns instead of 77 on Node 26. Before, it is
 * dearer: 79 instead of 72 on Node 20.
 */

const VECTOR = 16

export interface Pool {
  /** Null when there is no room left: the constant has to stand in the code then. */
  addressOf(bits: number): number | null
  bytes(): Uint8Array<ArrayBuffer>
}

export function createPool(base: number, size: number): Pool {
  const words: number[] = []
  return {
    addressOf(bits) {
      let index = words.indexOf(bits)
      if (index < 0) {
        if ((words.length + 1) * VECTOR > size) return null
        index = words.push(bits) - 1
      }
      return base + index * VECTOR
    },
    bytes() {
      const lanes = Int32Array.from(words.flatMap((word) => [word, word, word, word]))
      return new Uint8Array(lanes.buffer)
    },
  }
}
