/** Sweeps of which `npm test` takes a sample, and `npm run test:deep sweep` everything. */

import { random } from './random.ts'

/** Set by vitest.deep.config.ts. */
const whole = process.env.GRUV_WHOLE_SWEEPS !== undefined

/** Some of these cases in their order, with the first and the last; in deep tests all of them. */
export function sample<T>(cases: readonly T[], count: number, seed = 1): readonly T[] {
  if (whole || count >= cases.length) return cases
  const next = random(seed)
  const chosen = new Set([0, cases.length - 1])
  while (chosen.size < count) chosen.add(Math.floor(next() * cases.length))
  return cases.filter((_, i) => chosen.has(i))
}

/** What a sample is made with, or in deep tests what the whole is made with. */
export function few<T>(sample: T, all: T): T {
  return whole ? all : sample
}

/** The whole numbers from 1 to a limit. */
export function upTo(limit: number): readonly number[] {
  return Array.from({ length: limit }, (_, i) => i + 1)
}
