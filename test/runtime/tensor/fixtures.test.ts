/**
 * Layers on whole tensors against NumPy and PyTorch (`tools/make_tensor_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/tensor`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { activation } from '../../../src/model/activations.ts'
import type {
  BinaryNode,
  PoolNode,
  ReduceNode,
  TensorNode,
  UnaryNode,
} from '../../../src/model/types.ts'
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
    readonly op?: string
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
const files = readdirSync(folder).map((file) => ({
  file,
  cases: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly TensorFixture[],
}))

describe.each(files)('$file', ({ cases }) => {
  it.each(cases)('$name', (fixture) => {
    const inputs = mapped(fixture.inputs, tensor)
    const outputs = runTensorLayer(build(fixture), inputs, { extent: Number })
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(fixture.expected).sort())
    for (const [port, expected] of Object.entries(fixture.expected))
      expectClose(outputs[port], tensor(expected))
  })
})

/** Every operation of every kind; the compiler says when one is missing here. */
const ops = {
  binary: {
    add: true,
    subtract: true,
    multiply: true,
    divide: true,
    power: true,
    maximum: true,
    minimum: true,
    modulo: true,
    greater: true,
    greaterOrEqual: true,
    less: true,
    lessOrEqual: true,
    equal: true,
    and: true,
    or: true,
    xor: true,
  } satisfies Record<BinaryNode['op'], true>,
  unary: {
    abs: true,
    negative: true,
    reciprocal: true,
    sqrt: true,
    exp: true,
    log: true,
    sin: true,
    cos: true,
    erf: true,
    floor: true,
    ceil: true,
    round: true,
    sign: true,
    not: true,
  } satisfies Record<UnaryNode['op'], true>,
  reduce: {
    sum: true,
    mean: true,
    max: true,
    min: true,
    product: true,
    l1: true,
    l2: true,
    sumSquare: true,
    logSumExp: true,
  } satisfies Record<ReduceNode['op'], true>,
  pool: { max: true, average: true } satisfies Record<PoolNode['op'], true>,
}

it.each(Object.entries(ops))('every %s operation has a case', (kind, names) => {
  const cases = files.flatMap(({ cases }) => cases).filter(({ node }) => node.kind === kind)
  const covered = new Set(cases.map(({ node }) => node.op))
  expect(Object.keys(names).filter((op) => !covered.has(op))).toEqual([])
})
