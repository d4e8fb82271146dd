/**
 * Layers on whole tensors against NumPy and PyTorch (`tools/make_tensor_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/tensor`.
 */

import { describe, expect, it } from 'vitest'
import type {
  BinaryNode,
  PoolNode,
  ReduceNode,
  TensorNode,
  UnaryNode,
} from '../../../src/model/types.ts'
import { runTensorLayer } from '../../../src/runtime/tensor/index.ts'
import { expectClose, fixtureTensors, nodeOf, tensorFixtures } from './support.ts'

const files = tensorFixtures()

describe.each(files)('$file', ({ cases }) => {
  it.each(cases)('$name', (fixture) => {
    const node = nodeOf(fixture) as TensorNode
    const outputs = runTensorLayer(node, fixtureTensors(fixture.inputs), { extent: Number })
    expectClose(outputs, fixtureTensors(fixture.expected))
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
