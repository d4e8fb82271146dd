/** Checks of what a file claims: counts, and the sizes that its content may have once unpacked. */

/** Whether a value is a whole number, 0 or more, that a float64 holds exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount)
}

/**
 * The content of a file may be this many times its own size. Compression shrinks trained weights to
 * a half or more; what shrinks to a hundredth is a bomb, or constant.
 */
const MOST_EXPANSION = 100

/** …but constants are what small tests are made of: up to here nothing is too large. */
const SURELY_SMALL = 64 * 2 ** 20

/** The most bytes that the content of a file of this many bytes may have. */
export function mostUnpackedBytes(fileBytes: number): number {
  return Math.max(SURELY_SMALL, MOST_EXPANSION * fileBytes)
}
