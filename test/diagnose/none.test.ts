/**
 * Diagnoses without a fit: where the model leaves the data, and hints from the pattern of errors.
 */

import { describe, expect, it } from 'vitest'
import { type Diagnosis, diagnose } from '../../src/diagnose/index.ts'
import { compileSync } from '../../src/index.ts'
import { dense, type GruOptions, gru, type Model, sequential } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { randomArrays, randomTensor } from '../support/random.ts'

const units = 4
const features = 3

/** Blocks of z, r and n side by side, [rows, 3·units]. */
const weights = (seed: number): GruOptions => randomArrays(seed, features, units, 3, 1)

/** The columns of one gate taken from elsewhere. */
function withGate(gate: 0 | 1 | 2, from: GruOptions): GruOptions {
  const mix = (own: Tensor, other: Tensor): Tensor => ({
    shape: own.shape,
    data: Float32Array.from(own.data, (value, i) =>
      Math.floor((i % (3 * units)) / units) === gate ? other.data[i] : value,
    ),
  })
  return {
    kernel: mix(own.kernel as Tensor, from.kernel as Tensor),
    recurrentKernel: mix(own.recurrentKernel as Tensor, from.recurrentKernel as Tensor),
    bias: mix(own.bias as Tensor, from.bias as Tensor),
  }
}

const own = weights(1)
const other = weights(2)
const input = randomTensor(3, [2, 30, features])

function outputs(model: Model): Tensor {
  return compileSync(model, { precision: 'f64' }).predict(input).y
}

function explained(model: Model, expected: Tensor): NonNullable<Diagnosis['explanation']> {
  const { verdict, candidates, explanation } = diagnose(model, { input, expected, quick: true })
  expect([verdict, candidates.length]).toEqual(['none', 1])
  return explanation!
}

const model = sequential([gru(own)])

describe('nothing fits', () => {
  it('another recurrent kernel: the first step is right, and the second leaves', () => {
    const { recurrentKernel } = other
    const { leavesAt, hints, maxError } = explained(
      model,
      outputs(sequential([gru({ ...own, recurrentKernel })])),
    )
    expect(leavesAt).toMatchObject({ timestep: 1 })
    expect(hints[0]).toMatch(/^the first step is right and step 1 .* recurrent part/)
    expect(maxError).toBeGreaterThanOrEqual(Math.abs(leavesAt!.actual - leavesAt!.expected))
  })

  it('more steps than a call can have arguments', () => {
    const steps = 150_000
    const long = { shape: [1, steps, features], data: new Float32Array(steps * features) }
    const expected = { shape: [1, steps, units], data: new Float32Array(steps * units).fill(3) }
    const options = { input: long, expected, quick: true, budget: 1 }
    const { verdict, explanation } = diagnose(model, options)
    expect([verdict, explanation === null]).toEqual(['not finished', false])
  })

  it('another bias behind the layer: a constant offset', () => {
    const kernel = randomTensor(4, [units, 2])
    const wrong = sequential([gru(own), dense({ kernel, bias: [0.1, 0.2] })])
    const right = sequential([gru(own), dense({ kernel, bias: [0.4, -0.1] })])
    expect(explained(wrong, outputs(right)).hints.join()).toMatch(
      /off by the same amount in each unit \(up to 3\.0e-1\): a constant offset looks like a bias/,
    )
  })

  it.each([
    ['the update gate z', 0],
    ['the candidate n', 2],
  ] as const)('other weights of %s: all of the error can be its', (name, gate) => {
    const { hints } = explained(model, outputs(sequential([gru(withGate(gate, other))])))
    expect(hints.join()).toContain(`all of the error can come from ${name} alone`)
  })

  it('one unit of a Dense is wrong: it is named', () => {
    const kernel = randomTensor(5, [units, 3])
    const bias = [0.5, 0.5, 0.5]
    const right = sequential([gru(own), dense({ kernel, bias })])
    const wrong = sequential([gru(own), dense({ kernel, bias: [0.5, 0.5, 0.9] })])
    const { hints, leavesAt } = explained(wrong, outputs(right))
    expect(leavesAt).toMatchObject({ row: 0, timestep: 0, unit: 2 })
    expect(hints.join()).toContain('only 1 of 3 units are wrong (2)')
  })

  it('outputs a step late, and outputs times a factor, are said to be so', () => {
    const y = outputs(model)
    const late = { shape: y.shape, data: y.data.slice() }
    for (let row = 0; row < 2; row++) {
      const [from, to] = [row * 30 * units, (row + 1) * 30 * units]
      late.data.set(y.data.subarray(from, to - units), from + units)
    }
    expect(explained(model, late).hints.join()).toContain('one step later')
    const scaled = { shape: y.shape, data: y.data.map((value) => 1.7 * value) }
    expect(explained(model, scaled).hints.join()).toContain('1.700 times the output')
  })

  it('steps without expected data are not reported as right', () => {
    const y = outputs(sequential([gru(other)]))
    const last = { shape: [2, units], data: new Float64Array(2 * units) }
    for (let row = 0; row < 2; row++)
      last.data.set(y.data.subarray((30 * row + 29) * units, 30 * (row + 1) * units), row * units)
    const { leavesAt, hints } = explained(model, last)
    expect(leavesAt).toMatchObject({ row: 0, timestep: 29 })
    expect(hints.join()).not.toMatch(/steps are right|same amount|one step/)
  })

  it('another network: the very first step is wrong', () => {
    const { hints, leavesAt } = explained(model, outputs(sequential([gru(other)])))
    expect(leavesAt).toMatchObject({ row: 0, timestep: 0 })
    expect(hints.length).toBeGreaterThan(0)
  })
})
