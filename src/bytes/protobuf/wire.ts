/** Reads the wire format of protocol buffers, https://protobuf.dev/programming-guides/encoding/. */

export const VARINT = 0
export const BIT64 = 1
export const DELIMITED = 2
const GROUP = 3
const END_OF_GROUP = 4
export const BIT32 = 5

/** Groups within groups; nothing has used them for twenty years. */
const MOST_GROUPS = 100

/** A varint has seven bits in each byte; ten bytes hold 64. */
const MOST_VARINT_BYTES = 10

/** A cursor in bytes; each method reads what is there and moves on. Throws for damaged bytes. */
export class WireReader {
  at = 0
  readonly end: number
  private readonly source: Uint8Array
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.source = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
  }

  /** The number of a field, and how its value lies there. */
  tag(): readonly [number: number, wireType: number] {
    const tag = this.uint32()
    const [number, wireType] = [tag >>> 3, tag & 7]
    if (number === 0 || wireType > BIT32) {
      throw new Error(`a field of number ${number} and wire type ${wireType}`)
    }
    return [number, wireType]
  }

  /** Passes over a value. @param number of its field, which the end of a group repeats. */
  skip(wireType: number, number: number, depth = 0): void {
    if (wireType === VARINT) this.varint()
    else if (wireType === BIT64) this.take(8)
    else if (wireType === BIT32) this.take(4)
    else if (wireType === DELIMITED) this.bytes()
    else if (wireType === GROUP && depth < MOST_GROUPS) {
      for (;;) {
        const [inner, innerType] = this.tag()
        if (innerType !== END_OF_GROUP) this.skip(innerType, inner, depth + 1)
        else if (inner === number) return
        else throw new Error(`group ${number} ends as group ${inner}`)
      }
    } else
      throw new Error(wireType === GROUP ? 'too many groups in groups' : 'a group without start')
  }

  /** The lowest 32 bits: protobuf cuts longer numbers off. */
  uint32(): number {
    return this.varint()[0]
  }

  int32(): number {
    return this.varint()[0] | 0
  }

  bool(): boolean {
    const [low, high] = this.varint()
    return (low | high) !== 0
  }

  /** The nearest float64, as of all 64-bit integers. */
  uint64(): number {
    const [low, high] = this.varint()
    return nearest(low, high)
  }

  int64(): number {
    const [low, high] = this.varint()
    return nearest(low, high | 0)
  }

  fixed32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  fixed64(): number {
    return Number(this.view.getBigUint64(this.take(8), true))
  }

  float(): number {
    return this.view.getFloat32(this.take(4), true)
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true)
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.uint32()
    const from = this.take(length)
    return this.source.subarray(from, from + length)
  }

  /** @throws TypeError for bytes that are not UTF-8. */
  string(): string {
    return decoder.decode(this.bytes())
  }

  /** As two halves of 32 bits: numbers are faster than bigints. */
  private varint(): readonly [low: number, high: number] {
    let low = 0
    let high = 0
    for (let i = 0; i < MOST_VARINT_BYTES; i++) {
      const byte = this.source[this.take(1)]
      const bits = byte & 0x7f
      // A shift counts modulo 32, so each half takes the bits that lie in it alone.
      if (i < 5) low |= bits << (7 * i)
      if (i === 4) high = bits >>> 4
      if (i > 4) high |= bits << (7 * i - 32)
      if (byte < 0x80) return [low >>> 0, high >>> 0]
    }
    throw new Error('a number of more than ten bytes')
  }

  /** Where the next bytes begin. */
  private take(count: number): number {
    const from = this.at
    if (from + count > this.end) throw new Error('the bytes end within a value')
    this.at = from + count
    return from
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function nearest(low: number, high: number): number {
  // Exact up to 2^53; beyond, the two halves are rounded together, once.
  return Number.isSafeInteger(high * 2 ** 32)
    ? high * 2 ** 32 + low
    : Number((BigInt(high) << 32n) + BigInt(low))
}
