/**
 * LSTM and simple RNN layers against independent implementations: PyTorch in float64, and a numpy
 * one that was checked against ONNX's reference and ONNX Runtime (`tools/make_recurrent_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/recurrent`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compileSync, type RunOptions } from '../src/index.ts'
import type { ChainLink } from '../src/model/chain.ts'
import {
  bidirectional,
  type LstmOptions,
  lstm,
  type Model,
  type SimpleRnnOptions,
  sequential,
  simpleRnn,
} from '../src/model/index.ts'
import { runReference } from '../src/runtime/reference.ts'
import type { Named, NestedNumbers, Tensor } from '../src/tensor.ts'

interface Fixture {
  readonly name: string
  readonly layers: readonly (Cell | readonly [Cell, Cell])[]
  readonly input: NestedNumbers
  readonly mask: NestedNumbers | null
  readonly lengths: readonly number[] | null
  readonly initialState: Named<NestedNumbers> | null
  readonly expected: NestedNumbers
  readonly finalState: Named<NestedNumbers>
}

/** As options of the builders, but null for what is not there. */
type Cell = { readonly [key: string]: unknown } & { readonly cell: 'lstm' | 'rnn' }

function build(layers: Fixture['layers']): Model {
  return sequential(
    layers.map((layer, i): ChainLink => {
      const name = `layer${i}`
      if (isPair(layer)) {
        const [forward, backward] = layer.map((cell) => optionsOf<LstmOptions>(cell))
        return bidirectional({ name, cell: layer[0].cell, forward, backward })
      }
      if (layer.cell === 'lstm') return lstm({ ...optionsOf<LstmOptions>(layer), name })
      return simpleRnn({ ...optionsOf<SimpleRnnOptions>(layer), name })
    }),
  )
}

function isPair(layer: Fixture['layers'][number]): layer is readonly [Cell, Cell] {
  return Array.isArray(layer)
}

function optionsOf<O>({ cell: _, ...options }: Cell): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)) as O
}

/**
 * Rounding of one operation (2⁻²⁴, 2⁻⁵³), some hundred operations deep: the bound is relative to
 * the largest number of the case.
 */
const bounds = { f32: 4e-6, f64: 1e-13, reference: 1e-13 } as const

const folder = fileURLToPath(new URL('./fixtures/recurrent/', import.meta.url))

for (const file of readdirSync(folder).sort()) {
  const fixtures = JSON.parse(readFileSync(folder + file, 'utf8')) as Fixture[]
  describe(file, () => {
    for (const [engine, bound] of Object.entries(bounds)) {
      it.each(fixtures)(`$name, ${engine}: within ${bound} of the scale`, (fixture) => {
        const model = build(fixture.layers)
        const { mask, lengths, initialState, finalState, input } = fixture
        const options: RunOptions = {
          ...(mask && { mask }),
          ...(lengths && { lengths }),
          ...(initialState && { initialState }),
        }
        const results =
          engine === 'reference'
            ? reference(model, input, options)
            : compileSync(model, { precision: engine as 'f32' | 'f64' }).predict(input, {
                outputs: ['y', ...Object.keys(finalState)],
                ...options,
              })
        check(results.y, fixture.expected, bound)
        for (const [name, state] of Object.entries(finalState)) check(results[name], state, bound)
      })
    }
  })
}

function reference(model: Model, input: NestedNumbers, options: RunOptions): Named<Tensor> {
  const { outputs, states } = runReference(model, input, options)
  return { ...outputs, ...states }
}

function check({ data }: Tensor, expected: NestedNumbers, bound: number): void {
  const numbers = (expected as unknown[]).flat(3) as number[]
  expect(data.length).toBe(numbers.length)
  const scale = Math.max(1, ...numbers.map(Math.abs))
  const errors = numbers.map((number, i) => Math.abs(data[i] - number) / scale)
  expect(Math.max(...errors)).toBeLessThanOrEqual(bound)
}
