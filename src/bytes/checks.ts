/** Checks of what a file claims: counts. */

/** Whether a value is a whole number, 0 or more, that a float64 holds exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount)
}
