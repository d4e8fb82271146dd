/**
 * FNV-1a with 64 bits over the UTF-16 code units of a text, as 16 hexadecimal digits.
 * It names cached code and is no protection against forgery.
 * Source: the FNV draft, draft-eastlake-fnv; prime 2^40 + 2^8 + 0xb3.
 */
export function fnv1a64(text: string): string {
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (let i = 0; i < text.length; i++) {
    low ^= text.charCodeAt(i)
    // (high·2³² + low)·(2⁴⁰ + 0x1b3), kept to 64 bits; products stay below 2⁵³.
    const product = (low >>> 0) * 0x1b3
    const carry = Math.floor(product / 0x1_0000_0000)
    high = (Math.imul(high, 0x1b3) + (low << 8) + carry) >>> 0
    low = product >>> 0
  }
  return high.toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
}
