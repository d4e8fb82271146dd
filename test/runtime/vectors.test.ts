/** Layers of vectors against PyTorch in float64 (`tools/make_vector_fixtures.py`). */

import { describe, expect, it } from 'vitest'
import { compileSync } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { inputPorts } from '../../src/model/layers.ts'
import type { Dim, LayerNode, Model } from '../../src/model/types.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { bits, both, expectSameBits, precisions } from '../support/engines.ts'
import { random, tensor } from '../support/random.ts'
import { fixtureTensors, type NodeFixture, nodeOf, vectorFixtures } from './tensor/support.ts'

const cases = vectorFixtures()

/** The node alone in a graph; its ports are the graph's. */
function modelOf(fixture: NodeFixture): Model {
  const { inputs, expected } = fixture
  const ports = (side: Named<unknown>): Named<string> =>
    Object.fromEntries(Object.keys(side).map((port) => [port, `${port} value`]))
  const wired = {
    ...nodeOf(fixture),
    name: 'layer',
    inputs: ports(inputs),
    outputs: ports(expected),
  } as LayerNode
  expect(Object.keys(inputPorts(wired))).toEqual(Object.keys(inputs))
  return createModel({
    name: 'test',
    source: 'test',
    inputs: Object.entries(inputs).map(([port, { shape }]) => ({
      name: `${port} value`,
      shape: ['batch', ...shape.slice(1)] as Dim[],
    })),
    outputs: Object.keys(expected).map((name) => ({ name, value: `${name} value` })),
    nodes: [wired],
  })
}

function inputsOf({ inputs }: NodeFixture): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(fixtureTensors(inputs)).map(([port, each]) => [`${port} value`, each]),
  )
}

function worst(actual: Named<Tensor>, expected: Named<Tensor>): number {
  return Math.max(
    ...Object.entries(expected).flatMap(([name, { shape, data }]) => {
      expect(actual[name].shape, name).toEqual(shape)
      return Array.from(
        data,
        (e, i) => Math.abs(e - actual[name].data[i]) / Math.max(1, Math.abs(e)),
      )
    }),
  )
}

function isWhole(model: Model): boolean {
  return compileSync(model).plan.stages.some(({ sweep }) => sweep === 'whole')
}

describe.each(cases)('$name', (each) => {
  const model = modelOf(each)
  const inputs = inputsOf(each)
  const expected = fixtureTensors(each.expected)

  it('the reference and float64 agree with PyTorch', () => {
    // Sums of at most 48 products of numbers up to 10: some tens of roundings of 1e-16.
    expect(worst(runReference(model, inputs).outputs, expected)).toBeLessThan(1e-14)
    expect(worst(compileSync(model, { precision: 'f64' }).predict(inputs), expected)).toBeLessThan(
      1e-14,
    )
  })

  it('float32 agrees to its rounding; the same bits in both engines, in float64 too', () => {
    for (const precision of precisions) {
      const [js, wasm] = both(model, { precision })
      const inWasm = wasm.engine.fallbacks.length === 0
      expect(inWasm).toBe(each.node.kind !== 'embedding' && !isWhole(model))
      const outputs = js.predict(inputs)
      expect(worst(outputs, expected)).toBeLessThan(precision === 'f32' ? 2e-6 : 1e-14)
      for (const [name, output] of Object.entries(wasm.predict(inputs)))
        expect(bits(output)).toEqual(bits(outputs[name]))
    }
  })

  it('step by step the same bits as at once, where it can', () => {
    const { shape } = Object.values(each.inputs)[0]
    for (const program of precisions.flatMap((precision) => both(model, { precision }))) {
      if (
        program.plan.obstacle !== null ||
        shape.length !== (each.node.kind === 'embedding' ? 2 : 3)
      )
        continue
      const whole = program.predict(inputs)
      const stream = program.stream()
      for (let row = 0; row < shape[0]; row++) {
        stream.reset()
        for (let t = 0; t < shape[1]; t++) {
          for (const [name, view] of Object.entries(stream.inputs)) {
            const at = row * shape[1] + t
            view.set(inputs[name].data.subarray(at * view.length, (at + 1) * view.length))
          }
          stream.step()
          for (const [name, view] of Object.entries(stream.outputs)) {
            const at = row * shape[1] + t
            const { data } = whole[name]
            expect(bits({ data: view })).toEqual(
              bits({ data: data.subarray(at * view.length, (at + 1) * view.length) }),
            )
          }
        }
      }
    }
  })
})

it('an embedding says which number is none of its rows', () => {
  const model = modelOf(cases.find(({ name }) => name === 'embedding, tokens')!)
  for (const engine of ['js', 'wasm'] as const) {
    for (const bad of [7, -1, 0.5, Number.NaN]) {
      expect(() => compileSync(model, { engine }).predict([[0, bad, 0, 0, 0, 0, 0, 0]])).toThrow(
        `layer: there is no such row in the embedding; expected whole numbers from 0 to 6, got ${bad}`,
      )
    }
  }
})

it('convolutions that see the future do not stream', () => {
  const same = cases.find(({ name }) => name.includes('same'))!
  expect(() => compileSync(modelOf(same)).stream()).toThrow(/window reaches beyond/)
})

describe('every width has the same bits in both engines', () => {
  const kinds = [
    'batchNorm',
    'layerNorm',
    'prelu',
    'affine',
    'activation',
    'masking',
    'conv1d',
    'merge',
  ]
  const special = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e38, 1e-45, 1e308, 1e-310]
  it.each(kinds)('%s', (kind) => {
    for (let width = 1; width <= 67; width += width < 20 ? 1 : 6) {
      const next = random(width)
      const { shape, data } = tensor(next, [3, 37, width])
      const x = { shape, data: Float64Array.from(data) }
      special.forEach((value, i) => {
        x.data[i * 5 * width] = value
      })
      expectSameBits(layerOf(kind, width, next), x, `${width} wide`)
    }
  })
})

/** A layer of that kind alone, for `width` features. */
function layerOf(kind: string, width: number, next: () => number): Model {
  const one = (): Tensor => tensor(next, [width])
  const weights: Named<Tensor | null> = {
    batchNorm: { gamma: one(), beta: one(), mean: one(), variance: positive(one()) },
    layerNorm: { gamma: one(), beta: one() },
    prelu: { alpha: one() },
    affine: { scale: one(), shift: one() },
    conv1d: { kernel: tensor(next, [3, width, 5]), bias: tensor(next, [5]) },
  }[kind] as Named<Tensor>
  const attributes = {
    batchNorm: { epsilon: 1e-3 },
    layerNorm: { epsilon: 1e-5, axes: 1 },
    activation: { activation: { kind: 'softmax', parameters: [] } },
    masking: { value: 0.5 },
    merge: { mode: 'concatenate' },
    conv1d: {
      features: width,
      units: 5,
      size: 3,
      stride: 1,
      dilation: 2,
      groups: 1,
      padding: { before: 4, after: 0 },
      activation: { kind: 'tanh', parameters: [] },
    },
  }[kind]
  const node = {
    kind,
    name: 'layer',
    ...attributes,
    weights,
    inputs: kind === 'merge' ? { a: 'x', b: 'x', c: 'x' } : { x: 'x' },
    outputs: { y: 'y' },
    conventions: [],
  } as object as LayerNode
  return createModel({
    name: 'test',
    source: 'test',
    inputs: [{ name: 'x', shape: ['batch', 'time', width] }],
    outputs: [{ name: 'y', value: 'y' }],
    nodes: [node],
  })
}

function positive({ shape, data }: Tensor): Tensor {
  return { shape, data: data.map(Math.abs) }
}
