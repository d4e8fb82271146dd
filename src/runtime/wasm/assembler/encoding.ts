/** Encodes numbers as WebAssembly files hold them. Knows nothing of functions or modules. */

/** The types that kernels use, of the seven there are. */
export type ValueType = 'i32' | 'v128'

export const typeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, v128: 0x7b }

/** Bytes and lists of them: put together in one go, since copying them on each level takes longer. */
export type Bytes = readonly (number | Bytes)[]

/**
 * Bytes in memory that is not shared, as WebAssembly takes them. TypeScript before 5.7 has no word for
 * that, so this is found out rather than named.
 */
export type OwnBytes = ReturnType<typeof Uint8Array.of>

export function flatten(bytes: Bytes): OwnBytes {
  return new Uint8Array((bytes as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as number[])
}

/** One behind the other. */
export function concat(parts: readonly Uint8Array[]): OwnBytes {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** LEB128 of a u32. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  bytes.push(value)
  return bytes
}

/** LEB128 of an i32. */
export function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value | 0
  // The last byte has room for six bits and the sign.
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest & 0x7f)
  return bytes
}
