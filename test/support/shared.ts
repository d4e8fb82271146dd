/** Finds the data beside the project: other people's models and test vectors. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Or a similar folder with other cases. */
const root = process.env.GRUV_SHARED ?? fileURLToPath(new URL('../../../shared/', import.meta.url))

/** Tests that need it skip where it is absent: `describe.skipIf(!haveShared)`. */
export const haveShared: boolean = existsSync(join(root, 'vectors'))

export function sharedPath(path: string): string {
  return join(root, path)
}

/**
 * A JSON file of the shared data, in the form of its manifest; an empty list where it is absent.
 */
export function sharedCases<T>(path: string): readonly T[] {
  return haveShared ? (JSON.parse(readFileSync(sharedPath(path), 'utf8')) as readonly T[]) : []
}
