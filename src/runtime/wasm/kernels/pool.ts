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
  addressOf(low: number, high: number): number | null
  bytes(): Uint8Array<ArrayBuffer>
}

export function createPool(base: number, size: number): Pool {
  const constants: (readonly [number, number])[] = []
  return {
    addressOf(low, high) {
      let index = constants.findIndex((each) => each[0] === low && each[1] === high)
      if (index < 0) {
        if ((constants.length + 1) * VECTOR > size) return null
        index = constants.push([low, high]) - 1
      }
      return base + index * VECTOR
    },
    bytes() {
      const words = Int32Array.from(constants.flatMap((each) => [...each, ...each]))
      return new Uint8Array(words.buffer)
    },
  }
}
