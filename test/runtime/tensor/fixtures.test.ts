/**
 * Layers on whole tensors against NumPy and PyTorch (`tools/make_tensor_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/tensor`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { activation } from '../../../src/model/activations.ts'
import type { TensorNode } from '../../../src/model/types.ts'
import { runTensorLayer } from '../../../src/runtime/tensor/index.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly (number | 'nan' | 'inf' | '-inf')[]
}

interface TensorFixture {
  readonly name: string
  readonly node: {
    readonly kind: TensorNode['kind']
    readonly activation?: string
    readonly weights?: Named<Numbers | null>
  }
  readonly inputs: Named<Numbers>
  readonly expected: Named<Numbers>
}

const words = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }

function tensor({ shape, data }: Numbers): Tensor {
  return {
    shape,
    data: Float64Array.from(data, (value) => (typeof value === 'number' ? value : words[value])),
  }
}

function mapped<A, B>(named: Named<A>, f: (value: A) => B): Named<B> {
  return Object.fromEntries(Object.entries(named).map(([key, value]) => [key, f(value)]))
}

function build({ name, node }: TensorFixture): TensorNode {
  return {
    name,
    inputs: {},
    outputs: {},
    conventions: [],
    ...node,
    ...(node.activation && { activation: activation(node.activation) }),
    ...(node.weights && { weights: mapped(node.weights, (each) => each && tensor(each)) }),
  } as unknown as TensorNode
}

/** Some hundred operations of 1.1e-16 each, of numbers below 100; small numbers are differences of large ones. */
const TOLERANCE = 1e-12

function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  expect(actual.data).toBeInstanceOf(Float64Array)
  expect(actual.data.length).toBe(expected.data.length)
  expected.data.forEach((value, i) => {
    const bound = TOLERANCE * Math.max(1, Math.abs(value))
    const got = actual.data[i]
    const equal = Object.is(got, value) || got === value || Math.abs(got - value) <= bound
    if (!equal) expect([i, got]).toEqual([i, value])
  })
}

const folder = new URL('../../fixtures/tensor/', import.meta.url)
const seen = new Set<string>()

describe.each(readdirSync(folder))('%s', (file) => {
  const cases: TensorFixture[] = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
  it.each(cases)('$name', (fixture) => {
    const { kind, ...attributes } = fixture.node
    seen.add('op' in attributes ? `${kind} ${attributes.op}` : kind)
    const inputs = mapped(fixture.inputs, tensor)
    const outputs = runTensorLayer(build(fixture), inputs, { extent: Number })
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(fixture.expected).sort())
    for (const [port, expected] of Object.entries(fixture.expected))
      expectClose(outputs[port], tensor(expected))
  })
})
