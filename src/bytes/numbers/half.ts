/**
 * Encodes and decodes the two 16-bit floats, as bit patterns.
 *
 * float16 (IEEE 754 binary16): 1 sign, 5 exponent, 10 fraction bits. bfloat16: the upper half of a
 * float32, 1 sign, 8 exponent, 7 fraction bits. Both fit a float32 exactly.
 */

const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)
const double = new Float64Array(1)
const doubleBits = new BigUint64Array(double.buffer)

export function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  // The exponent's bias is 15 here and 127 in a float32.
  floatBits[0] = ((bits & 0x8000) << 16) | ((exponent + 112) << 23) | (fraction << 13)
  return float[0]
}

export function decodeBfloat16(bits: number): number {
  floatBits[0] = bits << 16
  return float[0]
}

/** Nearest, ties to even; from 65520 on infinity. */
export function encodeHalf(value: number): number {
  return encode(value, 5, 10)
}

/** Nearest, ties to even. Rounded once, from float64, not by way of float32. */
export function encodeBfloat16(value: number): number {
  return encode(value, 8, 7)
}

/** The nearest number that float16 holds. */
export function roundHalf(value: number): number {
  return decodeHalf(encodeHalf(value))
}

/** The nearest number that bfloat16 holds. */
export function roundBfloat16(value: number): number {
  return decodeBfloat16(encodeBfloat16(value))
}

/** Any IEEE layout of 16 bits; a NaN becomes the quiet one. */
function encode(value: number, exponentBits: number, fractionBits: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const bias = 2 ** (exponentBits - 1) - 1
  const infinity = (2 ** exponentBits - 1) << fractionBits
  const magnitude = Math.abs(value)
  if (Number.isNaN(magnitude)) return infinity | (1 << (fractionBits - 1))
  if (magnitude === Number.POSITIVE_INFINITY) return sign | infinity
  // Below the smallest normal number the spacing stays what it is there.
  const exponent = Math.max(exponentOf(magnitude), 1 - bias)
  const spacings = roundToEven(magnitude * 2 ** (fractionBits - exponent))
  // The leading 1 of a normal number carries into the exponent field, and so does a fraction that
  // rounds up to 2. A result that is too large has the largest exponent, which means infinity.
  const bits = ((exponent + bias - 1) << fractionBits) + spacings
  return sign | Math.min(bits, infinity)
}

/** ⌊log2⌋ of a normal float64; subnormal ones are below everything here. */
function exponentOf(magnitude: number): number {
  double[0] = magnitude
  return Number((doubleBits[0] >> 52n) & 0x7ffn) - 1023
}

/** For 0 ≤ x < 2^52: adding 2^52 leaves no room for a fraction, so the addition rounds it away. */
function roundToEven(x: number): number {
  return x + 2 ** 52 - 2 ** 52
}
