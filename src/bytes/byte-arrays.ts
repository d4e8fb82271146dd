/** Joins byte arrays, compares their bytes with a signature, and prints the first of them. */

/** The parts one behind the other, in a new array. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Whether these bytes stand at this place. */
export function hasBytes(bytes: Uint8Array, expected: readonly number[], at = 0): boolean {
  return expected.every((byte, i) => bytes[at + i] === byte)
}

/** The first bytes in hex: `93 4e 55 4d`. */
export function showBytes(bytes: Uint8Array, most = 8): string {
  return Array.from(bytes.subarray(0, most), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
