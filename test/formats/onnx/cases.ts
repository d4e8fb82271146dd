/** Reads models with inputs and expected outputs, as tools/make_onnx_fixtures.py writes them. */

import { expect } from 'vitest'
import { compileSync, type Model } from '../../../src/index.ts'
import { runReference } from '../../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'
import { fixture as anyFixture, fixtureJson as anyFixtureJson } from '../../support/fixtures.ts'

interface WrittenTensor {
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

interface Written {
  readonly inputs: Named<WrittenTensor>
  readonly outputs: Named<WrittenTensor>
}

export interface ModelCase extends Written {
  /** The layers that it must become, in order; null where they are not fixed. */
  readonly kinds: readonly string[] | null
}

export interface OperatorCase extends Written {
  readonly name: string
  /** base64 */
  readonly model: string
}

export const fixture = (name: string): Uint8Array => anyFixture(`onnx/${name}`)
export const fixtureJson = <T>(name: string): T => anyFixtureJson(`onnx/${name}`)

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
