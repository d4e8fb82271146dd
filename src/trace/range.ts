/** Checks whole numbers that callers choose: rows, timesteps, units. */

import { GruvError } from '../errors.ts'

/** @throws GruvError `bad-argument` unless it is a whole number from `least` to `most`. */
export function checkRange(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new GruvError('bad-argument', `${what} cannot be ${value}`, {
    where: what,
    expected: `a whole number from ${least} to ${most}`,
  })
}
