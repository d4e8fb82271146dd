/**
 * Checks models against the numbers of a fixture; the format of `fixtures/layers`, and models made
 * from it.
 */

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileSync, type RunOptions } from '../../src/index.ts'
import { dense, type GateOrder, gru, type Model, sequential } from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Named, NestedNumbers, Tensor } from '../../src/tensor.ts'
import { fixtureJson } from './fixtures.ts'

/**
 * Rounding of one operation (2⁻²⁴, 2⁻⁵³), some hundred operations deep, on numbers up to 50: the
 * bound is relative to the largest number of the case.
 */
const bounds = { f32: 4e-6, f64: 1e-13, reference: 1e-13 } as const

interface Case {
  readonly name: string
  readonly input: NestedNumbers
  readonly expected: NestedNumbers
}

/**
 * Tests the reference and both precisions on every case of every file of a folder of fixtures.
 * @param read makes the model, what a run is given, and the final states that it must end in.
 */
export function describeFixtures<F extends Case>(
  folder: string,
  read: (fixture: F) => readonly [Model, RunOptions, Named<NestedNumbers>],
): void {
  for (const file of readdirSync(new URL(`../fixtures/${folder}/`, import.meta.url)).sort()) {
    const fixtures = fixtureJson<readonly F[]>(`${folder}/${file}`)
    describe(file, () => {
      for (const [engine, bound] of Object.entries(bounds)) {
        it.each(fixtures)(`$name, ${engine}: within ${bound} of the scale`, (fixture) => {
          const [model, options, states] = read(fixture)
          const outputs = ['y', ...Object.keys(states)]
          const results =
            engine === 'reference'
              ? reference(model, fixture.input, options)
              : compileSync(model, { precision: engine as 'f32' | 'f64' }).predict(fixture.input, {
                  outputs,
                  ...options,
                })
          check(results.y, fixture.expected, bound)
          for (const [name, state] of Object.entries(states)) check(results[name], state, bound)
        })
      }
    })
  }
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

export interface LayerFixture {
  readonly name: string
  readonly layers: readonly (GruFixture | DenseFixture)[]
  readonly input: NestedNumbers
  readonly initialState: readonly (NestedNumbers | null)[] | null
  readonly expected: NestedNumbers
  readonly finalState: readonly (NestedNumbers | null)[]
}

interface GruFixture {
  readonly kind: 'gru'
  readonly kernel: NestedNumbers
  readonly recurrentKernel: NestedNumbers
  readonly bias: NestedNumbers | null
  readonly recurrentBias: NestedNumbers | null
  readonly gateOrder: GateOrder
  readonly transposed: boolean
  readonly reset: 'after' | 'before'
  readonly update: 'keeps' | 'updates'
  readonly biasPlacement: 'separate' | 'merged' | 'none'
  readonly activation: string
  readonly recurrentActivation: string
  readonly returnSequences: boolean
}

interface DenseFixture {
  readonly kind: 'dense'
  readonly kernel: NestedNumbers
  readonly bias: NestedNumbers | null
  readonly transposed: boolean
  readonly activation: string
}

export function buildLayers(layers: LayerFixture['layers']): Model {
  return sequential(
    layers.map((layer, i) => {
      const name = `layer${i}`
      if (layer.kind === 'dense') {
        const { kind: _, bias, ...rest } = layer
        return dense({ name, ...rest, ...(bias && { bias }) })
      }
      const { kind: _, bias, recurrentBias, biasPlacement, ...rest } = layer
      return gru({
        name,
        ...rest,
        ...(bias && { bias }),
        ...(recurrentBias && { recurrentBias }),
        ...(biasPlacement !== 'none' && { biasPlacement }),
      })
    }),
  )
}

export function namedStates(states: LayerFixture['finalState']): Named<NestedNumbers> {
  const named: Record<string, NestedNumbers> = {}
  states.forEach((state, i) => {
    if (state !== null) named[`layer${i}.h`] = state
  })
  return named
}
