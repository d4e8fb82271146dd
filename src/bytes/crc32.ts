/** CRC-32 with the polynomial of zip and PNG, and with that of LevelDB and TensorFlow. */

/** ISO 3309: polynomial 0x04c11db7, bits reflected. */
const iso3309 = tableOf(0xedb88320)

/** Castagnoli, RFC 3720, appendix B.4: polynomial 0x1edc6f41, bits reflected. */
const castagnoli = tableOf(0x82f63b78)

function tableOf(reflectedPolynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? reflectedPolynomial : 0)
    return crc
  })
}

/** @param before the checksum of the bytes before these; 0 where these are the first. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return checksum(iso3309, bytes, before)
}

/** CRC-32C. @param before as for `crc32`. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  return checksum(castagnoli, bytes, before)
}

function checksum(table: Uint32Array, bytes: Uint8Array, before: number): number {
  let crc = ~before
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}
