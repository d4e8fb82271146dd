/** Reads values of a layer's configuration with types. */

import { parseJson } from '../../bytes/json/text.ts'
import { GruvError, locate } from '../../errors.ts'
import { type JsonObject, object } from '../decode.ts'

/** A JSON object as Python writes it, NaN and Infinity included. @throws GruvError `bad-file`. */
export function jsonObject(text: string, where: string): JsonObject {
  return locate(where, () => object(parseJson(text), where))
}

/** Deeper nesting than any model has; each level is a level of recursion here. */
const DEEPEST = 12

/**
 * Replaces Python values that JSON does not have, which Keras spells as objects:
 * `{"class_name": "__tuple__", "items": […]}` becomes an array, and so do NumPy's and TensorFlow's.
 */
export function jsonValue(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST * 20) {
    throw new GruvError('too-large', 'the configuration is nested too deeply', {
      expected: `at most ${DEEPEST * 20} levels`,
    })
  }
  if (Array.isArray(value)) return value.map((each) => jsonValue(each, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  const { class_name: kind, items, config } = value as Record<string, unknown>
  if ((kind === '__tuple__' || kind === 'TensorShape') && Array.isArray(items))
    return jsonValue(items, depth + 1)
  if ((kind === '__numpy__' || kind === '__tensor__') && typeof config === 'object')
    return jsonValue((config as { value?: unknown } | null)?.value, depth + 1)
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, jsonValue(each, depth + 1)]),
  )
}

/** @throws GruvError `too-large` beyond 12 models inside each other. */
export function checkDepth(depth: number, where: string): void {
  if (depth <= DEEPEST) return
  throw new GruvError('too-large', 'models are nested too deeply', {
    where,
    expected: `at most ${DEEPEST} levels`,
  })
}

/** The `config` of one layer; missing entries have Keras's defaults, which the caller names. */
export class Settings {
  readonly where: string
  readonly values: JsonObject

  constructor(values: unknown, where: string) {
    this.where = where
    this.values = object(values, where)
  }

  get(...keys: readonly string[]): unknown {
    for (const key of keys) if (Object.hasOwn(this.values, key)) return this.values[key]
    return undefined
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  bool(key: string, fallback: boolean): boolean {
    const value = this.get(key) ?? fallback
    if (typeof value === 'boolean') return value
    if (value === 0 || value === 1) return value === 1
    throw this.wrong(key, 'true or false')
  }

  text(key: string, fallback?: string): string {
    const value = this.get(key) ?? fallback
    if (typeof value === 'string') return value
    throw this.wrong(key, 'a string')
  }

  /** The first of these keys that is there, in a version's spelling. */
  number(keys: string | readonly string[], fallback?: number): number {
    const names = typeof keys === 'string' ? [keys] : keys
    const value = scalar(this.get(...names)) ?? fallback
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw this.wrong(names[0], 'a number')
  }

  numberOrNull(...keys: readonly string[]): number | null {
    const value = this.get(...keys)
    return value === undefined || value === null ? null : this.number(keys)
  }

  /** A whole number from `least`. */
  count(keys: string | readonly string[], fallback?: number, least = 1): number {
    const value = this.number(keys, fallback)
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 31) return value
    throw this.wrong(typeof keys === 'string' ? keys : keys[0], `a whole number from ${least}`)
  }

  /** One whole number for each axis; a single one stands for all. */
  counts(keys: readonly string[], axes: number, fallback?: number): readonly number[] {
    const value = this.get(...keys)
    const list = Array.isArray(value) ? value : Array(axes).fill(value ?? fallback)
    if (
      list.length === axes &&
      list.every((each) => Number.isSafeInteger(each) && each >= 1 && each < 2 ** 31)
    )
      return list as number[]
    throw this.wrong(keys[0], `${axes} whole numbers from 1`)
  }

  /** Whole numbers; a single one is a list of one. */
  integers(key: string): readonly number[] {
    const value = this.get(key)
    const list = Array.isArray(value) ? value : [value]
    if (list.every((each) => Number.isSafeInteger(each))) return list as number[]
    throw this.wrong(key, 'whole numbers')
  }

  wrong(key: string, expected: string): GruvError {
    const got = JSON.stringify(this.get(key)) ?? 'nothing'
    return new GruvError('bad-file', `the configuration is not right at '${key}'`, {
      where: this.where,
      expected,
      got: got.length > 60 ? `${got.slice(0, 60)}…` : got,
    })
  }
}

/** Keras writes NumPy numbers as `{"type": "ndarray", "value": …}`, or as lists of one. */
function scalar(value: unknown): unknown {
  if (Array.isArray(value) && value.length === 1) return scalar(value[0])
  if (typeof value === 'object' && value !== null && 'value' in value) return scalar(value.value)
  return value ?? undefined
}

/** The version of Keras that wrote a file, such as `2.2.4-tf`. */
export interface KerasVersion {
  /** As the file states it; null where it does not. */
  readonly stated: string | null
  readonly major: number
  /** The version whose rules for masks apply: TensorFlow 2's own Keras counts as 2.3 and later. */
  readonly rules: string
  /** The number of the last part, where the first two are not enough. */
  readonly patch: number
}

export function kerasVersion(stated: string | null): KerasVersion {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(stated ?? '')
  if (match === null) return { stated: null, major: 2, rules: '2.3', patch: 0 }
  // Keras Core 0.1 became Keras 3.
  const [major, minor] = match[1] === '0' ? [3, 0] : [Number(match[1]), Number(match[2])]
  const tensorflow = stated!.endsWith('-tf') && major === 2 && minor < 3
  const rules = tensorflow ? '2.3' : `${major}.${minor}`
  return { stated, major, rules, patch: Number(match[3] ?? 0) }
}

/** Whether a version's rules are those of this one or later. */
export function isSince(
  { rules }: KerasVersion,
  [major, minor]: readonly [number, number],
): boolean {
  const [stated, part] = rules.split('.').map(Number)
  return stated > major || (stated === major && part >= minor)
}
