/** Attributes of nodes as JSON, both ways: a table of fields says what a kind of node has. */

import { type Activation, activation, showActivation } from '../../model/activation/activations.ts'
import { array, bool, object, oneOf, text, wrong } from '../decode.ts'

/** One attribute: from JSON that may be wrong, and back. */
export interface Field<T> {
  /** @throws GruvError `bad-file`, saying where. */
  readonly read: (value: unknown, where: string) => T
  readonly write: (value: T) => unknown
}

export type Fields<T> = { readonly [K in keyof T]: Field<T[K]> }

function plain<T>(read: (value: unknown, where: string) => T): Field<T> {
  return { read, write: (value) => value }
}

export const flag = plain(bool)
export const number = plain((value, where) => {
  if (typeof value === 'number') return value
  throw wrong(where, 'a number', value)
})
export const count = whole(1)
export const index = whole(0)

export function whole(least: number): Field<number> {
  return plain((value, where) => {
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
    throw wrong(where, `a whole number from ${least}`, value)
  })
}

export function choice<T extends string>(...values: readonly T[]): Field<T> {
  return plain((value, where) => oneOf(value, values, where))
}

export function list<T>(each: Field<T>): Field<readonly T[]> {
  return {
    read: (value, where) => array(value, where).map((item, i) => each.read(item, `${where}[${i}]`)),
    write: (values) => values.map(each.write),
  }
}

export function record<T extends object>(fields: Fields<T>): Field<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return {
    read(value, where) {
      const given = object(value, where)
      return Object.fromEntries(
        names.map((name) => [name, fields[name].read(given[name], `${where}.${name}`)]),
      ) as T
    },
    write: (value) =>
      Object.fromEntries(names.map((name) => [name, fields[name].write(value[name])])),
  }
}

/** A word that stands for itself, or something else. */
export function wordOr<W extends string, T>(word: W, other: Field<T>): Field<W | T> {
  return {
    read: (value, where) => (value === word ? word : other.read(value, where)),
    write: (value) => (value === word ? word : other.write(value as T)),
  }
}

export function orNull<T>(other: Field<T>): Field<T | null> {
  return {
    read: (value, where) =>
      value === null || value === undefined ? null : other.read(value, where),
    write: (value) => (value === null ? null : other.write(value)),
  }
}

/** `batch`, `time`, another symbol, or a number from `least`. */
export function dim(least: number): Field<number | string> {
  return plain((value, where) => {
    if (typeof value === 'string' && value !== '' && value.length <= 100) return value
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
    throw wrong(where, `"batch", "time", another symbol, or a whole number from ${least}`, value)
  })
}

/** Numbers before and after. */
export function margin(
  each: Field<number>,
): Field<{ readonly before: number; readonly after: number }> {
  return record({ before: each, after: each })
}

/** A name, or an object with the name under `kind` and its parameters beside it. */
export const activationField: Field<Activation> = {
  read(value, where) {
    if (typeof value === 'string') return activation(value)
    const { kind, ...parameters } = object(value, where)
    for (const [name, given] of Object.entries(parameters)) number.read(given, `${where}.${name}`)
    return activation(text(kind, `${where}.kind`), parameters as Readonly<Record<string, number>>)
  },
  write: showActivation,
}
