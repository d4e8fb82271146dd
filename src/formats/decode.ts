/** Checks the types of JSON values that came from a file. */

import { isJsonObject, type JsonObject, parseJsonObject } from '../bytes/json/object.ts'
import { GruvError, locate } from '../errors.ts'

export type { JsonObject }

/** @throws GruvError `bad-file` when the text is no JSON object, `too-large` when it nests too deep. */
export function parseObject(text: string, where: string): JsonObject {
  return locate(where, () => parseJsonObject(text))
}

export function object(value: unknown, where: string): JsonObject {
  if (isJsonObject(value)) return value
  throw wrong(where, 'an object', value)
}

export function array(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(where, 'an array', value)
}

export function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw wrong(where, 'a string', value)
}

export function optionalText(value: unknown, where: string): string | undefined {
  return value === undefined ? undefined : text(value, where)
}

export function bool(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value
  throw wrong(where, 'true or false', value)
}

export function oneOf<T extends string>(value: unknown, values: readonly T[], where: string): T {
  const found = values.find((each) => each === value)
  if (found !== undefined) return found
  throw wrong(where, `one of ${values.join(', ')}`, value)
}

/** An object whose values are all strings. */
export function texts(value: unknown, where: string): Readonly<Record<string, string>> {
  const entries = Object.entries(object(value, where))
  return Object.fromEntries(entries.map(([key, each]) => [key, text(each, `${where}.${key}`)]))
}

/** `bad-file`, for a value that is not what its place asks for. */
export function wrong(where: string, expected: string, value: unknown): GruvError {
  const got = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value)
  return new GruvError('bad-file', 'the description of the model is not right', {
    where,
    expected,
    got: got.length > 60 ? `${got.slice(0, 60)}…` : got,
  })
}
