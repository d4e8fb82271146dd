/** Models with inputs and what must come out, as tools/make_onnx_fixtures.py writes them. */

import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { compileSync, type Model } from '../../../src/index.ts'
import { runReference } from '../../../src/runtime/reference.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'

interface WrittenTensor {
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

interface Written {
  readonly inputs: Named<WrittenTensor>
  readonly outputs: Named<WrittenTensor>
}

export interface ModelCase extends Written {
  /** The layers that it must become, in order; null where that is not fixed. */
  readonly kinds: readonly string[] | null
}

export interface OperatorCase extends Written {
  readonly name: string
  /** base64 */
  readonly model: string
}

const folder = new URL('../../fixtures/onnx/', import.meta.url)

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)))
}

export function fixtureJson<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as T
}

/** JSON has no infinities. */
export function tensors(written: Named<WrittenTensor>): Named<Tensor> {
  const number = (value: number | string): number => Number(`${value}`.replace('inf', 'Infinity'))
  return Object.fromEntries(
    Object.entries(written).map(([name, { shape, data }]) => [
      name,
      { shape, data: Float64Array.from(data, number) },
    ]),
  )
}

/**
 * The reference and float64 to `double` of the scale of each output, float32 to `single`.
 * Every output of the model is compared, under its name and with its shape.
 */
export function expectOutputs(
  model: Model,
  inputs: Named<Tensor>,
  expected: Named<Tensor>,
  { double, single }: { readonly double: number; readonly single: number },
): void {
  expect(model.outputs.map(({ name }) => name)).toEqual(Object.keys(expected))
  const runs = [
    ['reference', runReference(model, inputs).outputs, double],
    ['f64', compileSync(model, { precision: 'f64' }).predict(inputs), double],
    ['f32', compileSync(model).predict(inputs), single],
  ] as const
  for (const [run, outputs, tolerance] of runs) {
    for (const [name, { shape, data }] of Object.entries(expected)) {
      expect([run, name, outputs[name].shape]).toEqual([run, name, shape])
      const scale = Math.max(1e-30, ...data.map(Math.abs))
      const limit = tolerance * (Number.isFinite(scale) ? scale : 1)
      data.forEach((value, i) => {
        const got = outputs[name].data[i]
        const far = !(Object.is(got, value) || Math.abs(got - value) <= limit)
        if (far) expect([run, name, i, got]).toEqual([run, name, i, value])
      })
    }
  }
}
