/** Reads the files in test/fixtures; those of `data` are made by tools/make_data_fixtures.py. */

import { readFileSync } from 'node:fs'
import type { Named } from '../../src/tensor.ts'

/** Values in C order; those that JSON cannot hold as Python prints them. */
export interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly (number | 'nan' | 'inf' | '-inf')[]
}

/** What NumPy read. */
interface NumpyArray extends Numbers {
  readonly dtype: string
}

const folder = new URL('../fixtures/', import.meta.url)

/** By its path in test/fixtures. A plain Uint8Array; a comparison takes Node's Buffer for another class. */
export function fixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, folder)))
}

export function fixtureJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'))
}

/** By file, then by array. */
export function expectedArrays(): Readonly<Record<string, Named<NumpyArray>>> {
  return fixtureJson('data/expected.json')
}

const words = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }

export function valuesOf({ data }: Numbers): number[] {
  return data.map((value) => (typeof value === 'number' ? value : words[value]))
}
