/** Catches errors as values, so that a test can check every field. */

import { GruvError } from '../../src/errors.ts'

/** The GruvError that a call throws, also one that throws later; fails when it throws none. */
export async function errorOf(run: () => unknown): Promise<GruvError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof GruvError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The same for a call that throws at once. */
export function thrownBy(run: () => unknown): GruvError {
  try {
    run()
  } catch (error) {
    if (error instanceof GruvError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
