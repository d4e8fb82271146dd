/** Nodes without a graph around them, tensors of whole numbers, and the numbers of other frameworks. */

import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import { activation } from '../../../src/model/activation/activations.ts'
import type { LayerKind, LayerNode, NodeOf, TensorNode } from '../../../src/model/types.ts'
import { runTensorLayer } from '../../../src/runtime/tensor/index.ts'
import { type Named, sizeOf, type Tensor } from '../../../src/tensor.ts'
import { fixtureJson, type Numbers, valuesOf } from '../../support/fixtures.ts'

type Attributes<K extends LayerKind> = Omit<
  NodeOf<K>,
  'name' | 'inputs' | 'outputs' | 'conventions'
>

/** A node called `layer`. */
export function node<K extends TensorNode['kind']>(
  attributes: { readonly kind: K } & Attributes<K>,
): NodeOf<K> {
  return {
    name: 'layer',
    inputs: {},
    outputs: {},
    conventions: [],
    ...attributes,
  } as unknown as NodeOf<K>
}

/** 1, 2, 3 … in that shape. */
export function counted(...shape: readonly number[]): Tensor {
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => i + 1) }
}

/** Runs a layer with output `y`; symbols have these numbers. */
export function run(
  layer: TensorNode,
  inputs: Named<Tensor>,
  symbols: Named<number> = {},
): Tensor & { readonly data: Float64Array } {
  const { y } = runTensorLayer(layer, inputs, { extent: (dim) => symbols[dim] })
  return y as Tensor & { readonly data: Float64Array }
}

/** One node with inputs and expected outputs by port, as the scripts in tools/ write it. */
export interface NodeFixture {
  readonly name: string
  readonly node: {
    readonly kind: LayerKind
    readonly op?: string
    readonly activation?: string | object
    readonly weights?: Named<Numbers | null>
  }
  readonly inputs: Named<Numbers>
  readonly expected: Named<Numbers>
}

/** The files of tools/make_tensor_fixtures.py. */
export function tensorFixtures(): readonly {
  readonly file: string
  readonly cases: readonly NodeFixture[]
}[] {
  return readdirSync(new URL('../../fixtures/tensor/', import.meta.url)).map((file) => ({
    file,
    cases: fixtureJson(`tensor/${file}`),
  }))
}

/** The file of tools/make_vector_fixtures.py. */
export function vectorFixtures(): readonly NodeFixture[] {
  const cases =
    fixtureJson<
      readonly (Omit<NodeFixture, 'expected'> & { readonly outputs: NodeFixture['expected'] })[]
    >('vectors.json')
  return cases.map(({ outputs, ...rest }) => ({ ...rest, expected: outputs }))
}

function fixtureTensor(numbers: Numbers): Tensor {
  return { shape: numbers.shape, data: Float64Array.from(valuesOf(numbers)) }
}

function mapped<A, B>(named: Named<A>, f: (value: A) => B): Named<B> {
  return Object.fromEntries(Object.entries(named).map(([key, value]) => [key, f(value)]))
}

export function fixtureTensors(named: Named<Numbers>): Named<Tensor> {
  return mapped(named, fixtureTensor)
}

/** The node of a fixture, its ports named after themselves. */
export function nodeOf({ name, node, inputs, expected }: NodeFixture): LayerNode {
  const ports = (side: Named<unknown>): Named<string> =>
    Object.fromEntries(Object.keys(side).map((port) => [port, port]))
  return {
    name,
    inputs: ports(inputs),
    outputs: ports(expected),
    conventions: [],
    ...node,
    ...(typeof node.activation === 'string' && { activation: activation(node.activation) }),
    ...(node.weights && { weights: mapped(node.weights, (each) => each && fixtureTensor(each)) }),
  } as unknown as LayerNode
}

/** Some hundred operations of 1.1e-16 each, of numbers below 100; small numbers are differences of large ones. */
const TOLERANCE = 1e-12

/** The same ports, shapes and numbers, in float64. */
export function expectClose(actual: Named<Tensor>, expected: Named<Tensor>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort())
  for (const [port, { shape, data }] of Object.entries(expected)) {
    const got = actual[port]
    expect(got.shape).toEqual(shape)
    expect(got.data).toBeInstanceOf(Float64Array)
    expect(got.data.length).toBe(data.length)
    data.forEach((value, i) => {
      const bound = TOLERANCE * Math.max(1, Math.abs(value))
      const equal =
        Object.is(got.data[i], value) ||
        got.data[i] === value ||
        Math.abs(got.data[i] - value) <= bound
      if (!equal) expect([port, i, got.data[i]]).toEqual([port, i, value])
    })
  }
}
