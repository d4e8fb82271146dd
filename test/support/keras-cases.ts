/** Runs the models that tools/make_keras_random.py writes, against the numbers beside them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { compileSync, load, type NestedNumbers } from '../../src/index.ts'
import { toTensor } from '../../src/tensor.ts'

export interface KerasCase {
  readonly file: string
  readonly inputs: Readonly<Record<string, NestedNumbers>>
  readonly outputs: readonly NestedNumbers[]
}

export function kerasCases(folder: string): readonly KerasCase[] {
  return JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as readonly KerasCase[]
}

/** Some hundred operations in float64 on numbers up to 10⁴, each off by 2⁻⁵³ of them at most. */
const BOUND = 1e-11

/** Loads one file and compares every output with the oracle's. */
export async function expectOracle(folder: string, each: KerasCase): Promise<void> {
  const model = await load(join(folder, each.file))
  const results = compileSync(model, { precision: 'f64' }).predict(each.inputs)
  expect(model.outputs).toHaveLength(each.outputs.length)
  for (const [i, { name }] of model.outputs.entries()) {
    const expected = toTensor(each.outputs[i], name)
    const got = results[name]
    expect(got.shape, `${each.file}: ${name}`).toEqual(expected.shape)
    const scale = Math.max(1, ...Array.from(expected.data, Math.abs))
    const off = Math.max(
      0,
      ...Array.from(expected.data, (value, at) => Math.abs(value - got.data[at])),
    )
    expect(off, `${each.file}: ${name}`).toBeLessThanOrEqual(BOUND * scale)
  }
}
