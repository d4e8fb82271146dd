/** The files in test/fixtures/data, made by tools/make_data_fixtures.py. */

import { readFileSync } from 'node:fs'
import type { Named } from '../../src/tensor.ts'

/** What NumPy read: values in C order, those that JSON cannot hold as Python prints them. */
export interface NumpyArray {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: readonly (number | 'nan' | 'inf' | '-inf')[]
}

const folder = new URL('../fixtures/data/', import.meta.url)

/** A plain Uint8Array: Node's Buffer is one too, but another class to a comparison. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)))
}

export function fixtureJson<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
}

/** By file, then by array. */
export function expectedArrays(): Readonly<Record<string, Named<NumpyArray>>> {
  return fixtureJson('expected.json')
}

const words = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }

export function valuesOf({ data }: NumpyArray): number[] {
  return data.map((value) => (typeof value === 'number' ? value : words[value]))
}
