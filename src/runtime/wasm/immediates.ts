/** Immediates and constants of every type, checked. */

import { signed, typeCodes, unsigned, type ValueType } from './encoding.ts'

/** LEB128 of an i64. */
export function signed64(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest < -0x40n || rest > 0x3fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest & 0x7fn))
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
  const [kind, size] = split(word)
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
      if (value === undefined) return undefined
      return typeof value === 'number' ? signed(value) : signed64(value)
    }
  }
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

function sixteen(parts: readonly (number[] | undefined)[]): number[] | undefined {
  const bytes = parts.flat()
  return bytes.length === 16 && !bytes.includes(undefined) ? (bytes as number[]) : undefined
}

const scratch = new DataView(new ArrayBuffer(8))

function littleEndian(type: string, value: unknown): number[] | undefined {
  const size = sizeOf(type) / 8
  if (type[0] === 'i') {
    const integer = bits(type, value)
    if (integer === undefined) return undefined
    if (typeof integer === 'number') scratch.setInt32(0, integer, true)
    else scratch.setBigInt64(0, integer, true)
  } else {
    // A NaN is no literal: JavaScript leaves its bits open, and the same module has to be the same bytes.
    if (typeof value !== 'number' || Number.isNaN(value)) return undefined
    if (size === 4) scratch.setFloat32(0, value, true)
    else scratch.setFloat64(0, value, true)
  }
  return Array.from({ length: size }, (_, i) => scratch.getUint8(i))
}

/** An integer with its sign, from either way to write it; nothing when it is none of that type. */
function bits(type: string, value: unknown): number | bigint | undefined {
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return undefined
  if (type === 'i32') {
    const integer = Number(value)
    return integer >= -(2 ** 31) && integer < 2 ** 32 ? integer | 0 : undefined
  }
  const integer = BigInt(value as bigint)
  const wrapped = BigInt.asIntN(64, integer)
  return integer === wrapped || integer === BigInt.asUintN(64, integer) ? wrapped : undefined
}

function sizeOf(type: string): number {
  return Number(type.slice(1))
}

const words = new Map<string, readonly [kind: string, size: number]>()

/** `align16` → `align`, 16; each word once. */
function split(word: string): readonly [kind: string, size: number] {
  const known = words.get(word)
  if (known !== undefined) return known
  const [, kind, digits] = /(\D+)(\d*)/.exec(word) as unknown as string[]
  const parts = [kind, Number(digits)] as const
  words.set(word, parts)
  return parts
}
