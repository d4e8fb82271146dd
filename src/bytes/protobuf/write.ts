/** Writes protocol buffers, https://protobuf.dev/programming-guides/encoding/. */

import { GruvError } from '../../errors.ts'
import { joinBytes } from '../byte-arrays.ts'

/** A field as bytes; a message is several of them. */
export type Field = Uint8Array

const VARINT = 0
const LENGTH = 2
const FIXED32 = 5

/** Messages are at most 2 GiB: their lengths are read as int32. */
const MOST_BYTES = 2 ** 31 - 1

/** int32, int64, enum, bool; negative ones in ten bytes, as two's complement. */
export function intField(number: number, value: number | bigint): Field {
  return Uint8Array.from([...varint(BigInt((number << 3) | VARINT)), ...varint(BigInt(value))])
}

export function floatField(number: number, value: number): Field {
  const field = new Uint8Array(1 + 4)
  field[0] = (number << 3) | FIXED32
  new DataView(field.buffer).setFloat32(1, value, true)
  return field
}

export function bytesField(number: number, value: Uint8Array): Field {
  if (value.length > MOST_BYTES) {
    throw new GruvError('too-large', 'a message of 2 GiB and more cannot be written', {
      got: `${value.length} bytes`,
    })
  }
  const head = [...varint(BigInt((number << 3) | LENGTH)), ...varint(BigInt(value.length))]
  return joinBytes([Uint8Array.from(head), value])
}

export function textField(number: number, value: string): Field {
  return bytesField(number, new TextEncoder().encode(value))
}

export function messageField(number: number, fields: readonly Field[]): Field {
  return bytesField(number, message(fields))
}

/** A message of these fields. */
export function message(fields: readonly Field[]): Uint8Array {
  return joinBytes(fields)
}

/** Seven bits in a byte, the lowest first. */
function varint(value: bigint): readonly number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return bytes
}
