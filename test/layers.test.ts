/**
 * Layers and stacks against independent implementations: PyTorch in float64, and a numpy one that
 * was checked against ONNX's reference and ONNX Runtime (`tools/make_layer_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/layers`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compileSync } from '../src/index.ts'
import type { Model } from '../src/model/index.ts'
import { runReference } from '../src/runtime/reference.ts'
import type { Named, NestedNumbers, Tensor } from '../src/tensor.ts'
import { buildLayers, type LayerFixture, namedStates } from './support/layers.ts'

/**
 * Rounding of one operation (2⁻²⁴, 2⁻⁵³), some hundred operations deep, on numbers up to 50: the
 * bound is relative to the largest number of the case.
 */
const bounds = { f32: 4e-6, f64: 1e-13, reference: 1e-13 } as const

const folder = fileURLToPath(new URL('./fixtures/layers/', import.meta.url))

for (const file of readdirSync(folder).sort()) {
  const fixtures = JSON.parse(readFileSync(folder + file, 'utf8')) as LayerFixture[]
  describe(file, () => {
    for (const [engine, bound] of Object.entries(bounds)) {
      it.each(fixtures)(`$name, ${engine}: within ${bound} of the scale`, (fixture) => {
        const model = buildLayers(fixture.layers)
        const states = namedStates(fixture.finalState)
        const start = fixture.initialState && { initialState: namedStates(fixture.initialState) }
        const results =
          engine === 'reference'
            ? reference(model, fixture.input, start)
            : compileSync(model, { precision: engine as 'f32' | 'f64' }).predict(fixture.input, {
                outputs: ['y', ...Object.keys(states)],
                ...start,
              })
        check(results.y, fixture.expected, bound)
        for (const [name, state] of Object.entries(states)) check(results[name], state, bound)
      })
    }
  })
}

function reference(
  model: Model,
  input: NestedNumbers,
  start: { readonly initialState: Named<NestedNumbers> } | null,
): Named<Tensor> {
  const { outputs, states } = runReference(model, input, start ?? {})
  return { ...outputs, ...states }
}

function check({ data }: Tensor, expected: NestedNumbers, bound: number): void {
  const numbers = (expected as unknown[]).flat(3) as number[]
  expect(data.length).toBe(numbers.length)
  const scale = Math.max(1, ...numbers.map(Math.abs))
  const errors = numbers.map((number, i) => Math.abs(data[i] - number) / scale)
  expect(Math.max(...errors)).toBeLessThanOrEqual(bound)
}
