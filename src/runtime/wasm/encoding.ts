/** How numbers stand in a WebAssembly file. Nothing here knows of functions or modules. */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

export const typeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

/** LEB128 of a u32. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  bytes.push(value)
  return bytes
}

/** LEB128 of an i32 or i64. */
export function signed(value: bigint): number[] {
  const bytes: number[] = []
  // The last byte has room for six bits and the sign.
  for (; value < -0x40n || value > 0x3fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80)
  bytes.push(Number(value & 0x7fn))
  return bytes
}

/** `type.const value`; nothing when there is no such instruction. */
export function constant(type: ValueType | undefined, value: unknown): number[] | undefined {
  if (type === undefined || type === 'v128') return undefined
  const bytes = immediate(type, value)
  // 0x41 to 0x44: the opcodes rise as the codes of the types fall.
  return bytes && [0xc0 - typeCodes[type], ...bytes]
}

/**
 * An immediate in the words of the table of opcodes; nothing when the argument is not one. That of
 * a vector is two arguments: its shape and its lanes, or the one number in all of them.
 */
export function immediate(word: string, arg: unknown, lanes?: unknown): number[] | undefined {
  const [, kind, digits] = word.match(/(\D+)(\d*)/) as string[]
  const size = Number(digits)
  switch (kind) {
    case 'zero':
      return [0]
    case 'align': // as a hint, which is always the natural one: engines do not heed it
      return isU32(arg) ? [Math.log2(size), ...unsigned(arg)] : undefined
    case 'lane':
      return isU32(arg) && arg < size ? [arg] : undefined
    case 'lanes':
      return sixteen((arg as unknown[]).map((lane) => immediate('lane32', lane)))
    case 'v': {
      const type = `${arg}`.slice(0, 3)
      const all = Array.isArray(lanes) ? lanes : Array(128 / sizeOf(type)).fill(lanes)
      return sixteen(all.map((lane) => littleEndian(type, lane)))
    }
    case 'f':
      return littleEndian(word, arg)
    default: {
      const value = bits(word, arg)
      return value === undefined ? undefined : signed(value)
    }
  }
}

export function isU32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

function sixteen(parts: readonly (number[] | undefined)[]): number[] | undefined {
  const bytes = parts.flat()
  return bytes.length === 16 && !bytes.includes(undefined) ? (bytes as number[]) : undefined
}

function littleEndian(type: string, value: unknown): number[] | undefined {
  let left = bits(type, value)
  if (left === undefined) return undefined
  const bytes: number[] = []
  for (let i = sizeOf(type); i > 0; i -= 8, left >>= 8n) bytes.push(Number(left & 0xffn))
  return bytes
}

/**
 * The bits of a number, as a signed integer; nothing when it is not of that type. A NaN is not:
 * JavaScript leaves its bits open, and the same module has to be the same bytes.
 */
function bits(type: string, value: unknown): bigint | undefined {
  const size = sizeOf(type)
  if (type[0] === 'i') {
    if (typeof value !== 'bigint' && !Number.isInteger(value)) return undefined
    const integer = BigInt(value as bigint)
    const wrapped = BigInt.asIntN(size, integer)
    return integer === wrapped || integer === BigInt.asUintN(size, integer) ? wrapped : undefined
  }
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined
  return size === 64
    ? new BigInt64Array(Float64Array.of(value).buffer)[0]
    : BigInt(new Int32Array(Float32Array.of(value).buffer)[0])
}

function sizeOf(type: string): number {
  return Number(type.slice(1))
}
