/** CRC-32C (Castagnoli), RFC 3720, appendix B.4: polynomial 0x1edc6f41, bits reflected. */

const REFLECTED_POLYNOMIAL = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ REFLECTED_POLYNOMIAL : remainder >>> 1
  }
  return remainder
})

/** @param earlier what came out for the bytes before these. */
export function crc32c(bytes: Uint8Array, earlier = 0): number {
  let crc = ~earlier
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

/** As LevelDB and TensorFlow store it, lest checksums of checksums agree by accident. */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
