/** Parses JSON texts that are one object, such as headers and descriptions. */

import { GruvError } from '../../errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Arrays have few axes; engines that parse or print recursively overflow at some ten thousand levels. */
export const MOST_LEVELS = 64

/**
 * Of keys that come twice the last counts, as in `JSON.parse`; `parseJson` (`text.ts`) refuses them.
 * @throws GruvError `bad-file` for text that is no JSON object, `too-large` for more than 64 levels.
 */
export function parseJsonObject(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GruvError('bad-file', 'this is not JSON', { got: (cause as Error).message, cause })
  }
  checkDepth(value, MOST_LEVELS)
  if (isJsonObject(value)) return value
  throw new GruvError('bad-file', 'this is no JSON object', { got: text.slice(0, 24) })
}

function checkDepth(value: unknown, left: number): void {
  if (typeof value !== 'object' || value === null) return
  if (left === 0) {
    throw new GruvError('too-large', 'the arrays nest too deep', {
      expected: `at most ${MOST_LEVELS} levels`,
    })
  }
  for (const inner of Object.values(value)) checkDepth(inner, left - 1)
}
