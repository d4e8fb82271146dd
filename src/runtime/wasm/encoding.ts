/** How numbers stand in a WebAssembly file. Nothing here knows of functions or modules. */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

export const typeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

/** Bytes and lists of them: put together in one go, since copying them on each level takes longer. */
export type Code = readonly (number | Code)[]

export function flatten(code: Code): number[] {
  return (code as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as number[]
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
