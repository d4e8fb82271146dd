/**
 * FNV-1a with 64 bits over units of 16 bits, such as the UTF-16 code units of a text. It names things
 * and is no protection against forgery.
 * Source: the FNV draft, draft-eastlake-fnv; prime 2^40 + 2^8 + 0xb3.
 */
export class Fnv1a64 {
  /** The two halves, as 32-bit integers without sign. */
  high = 0xcbf29ce4
  low = 0x84222325

  add(unit: number): void {
    this.low ^= unit
    // (high·2³² + low)·(2⁴⁰ + 0x1b3), kept to 64 bits; products stay below 2⁵³.
    const product = (this.low >>> 0) * 0x1b3
    const carry = Math.floor(product / 0x1_0000_0000)
    this.high = (Math.imul(this.high, 0x1b3) + (this.low << 8) + carry) >>> 0
    this.low = product >>> 0
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i))
  }
}

/** Of a text, as 16 hexadecimal digits. */
export function fnv1a64(text: string): string {
  const hash = new Fnv1a64()
  hash.addText(text)
  return [hash.high, hash.low].map((half) => half.toString(16).padStart(8, '0')).join('')
}
