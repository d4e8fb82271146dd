/** Graphs that a chain of layers does not make: ports of layers, orders of axes, stages of their own. */

import { describe, expect, it } from 'vitest'
import { compileSync, type RunOptions } from '../../src/index.ts'
import { permuteAxes } from '../../src/model/axes.ts'
import { createModel } from '../../src/model/graph.ts'
import { sequential } from '../../src/model/index.ts'
import type { Dim, GruNode, LayerNode, MaskedOutput, Model, Port } from '../../src/model/types.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { bits, both, expectClose, expectEqual } from '../support/engines.ts'
import { random, randomGru, randomTensor } from '../support/random.ts'

const [features, units, batch, steps] = [3, 5, 19, 70]
const x = randomTensor(1, [batch, steps, features])
const next = random(2)
const counts = (row: number, t: number): boolean =>
  row !== 3 && t > row % 5 && (row * 7 + t) % 4 > 0
const mask: Tensor = {
  shape: [batch, steps],
  data: Float32Array.from({ length: batch * steps }, (_, i) =>
    Number(counts(Math.floor(i / steps), i % steps)),
  ),
}
const lengths: Tensor = {
  shape: [batch],
  data: Float32Array.from({ length: batch }, (_, row) =>
    row === 2 ? 0 : Math.floor(next() * steps),
  ),
}

function gruNode(change: Partial<GruNode> = {}): GruNode {
  const [node] = sequential([randomGru(4, features, units)]).nodes as readonly GruNode[]
  return {
    ...node,
    inputs: { x: 'x' },
    outputs: { sequence: 'sequence', last: 'last', state: 'state' },
    ...change,
  }
}

function model(
  nodes: readonly LayerNode[],
  outputs: readonly string[],
  inputs: readonly Port[] = [{ name: 'x', shape: ['batch', 'time', features] }],
): Model {
  return createModel({
    name: 'test',
    source: 'test',
    inputs,
    outputs: outputs.map((value) => ({ name: value, value })),
    nodes,
  })
}

const xPort: Port = { name: 'x', shape: ['batch', 'time', features] }
const maskPort: Port = { name: 'mask', shape: ['batch', 'time'] }
const lengthsPort: Port = { name: 'lengths', shape: ['batch'] }
const names = ['sequence', 'last', 'state']
/** Float64 in two orders of summation: 70 steps of 8-term sums of numbers below 1. */
const rounding = 1e-13

describe('a mask or lengths at the port of a layer do what those of a run do', () => {
  const cases = (['repeat', 'zero', 'state'] as const).flatMap((maskedOutput) =>
    (['forward', 'backward'] as const).map((direction) => [maskedOutput, direction] as const),
  )
  it.each(cases)('%s, %s', (maskedOutput: MaskedOutput, direction) => {
    const change = { maskedOutput, direction }
    const plain = model([gruNode(change)], names)
    for (const [port, own, run] of [
      [maskPort, { x, mask }, { mask }],
      [lengthsPort, { x, lengths }, { lengths: Array.from(lengths.data) }],
    ] as const) {
      const inputs = { x: 'x', [port.name]: port.name }
      const masked = model([gruNode({ ...change, inputs })], names, [xPort, port])
      for (const [i, program] of both(masked).entries()) {
        const expected = both(plain)[i].predict(x, run as RunOptions)
        expectEqual(program.predict(own as Named<Tensor>), expected)
      }
      const reference = runReference(plain, x, run as RunOptions).outputs
      expect(runReference(masked, own as Named<Tensor>).outputs).toEqual(reference)
      const f64 = compileSync(masked, { precision: 'f64' }).predict(own as Named<Tensor>)
      expectClose(f64, reference, rounding)
    }
  })

  it.each(['repeat', 'zero', 'state'] as const)(
    'of the layer go before lengths of the caller, %s',
    (maskedOutput) => {
      const masked = model([gruNode({ maskedOutput, inputs: { x: 'x', mask: 'mask' } })], names, [
        xPort,
        maskPort,
      ])
      const run = { lengths: Array.from({ length: batch }, (_, row) => steps - 2 * row) }
      const expected = runReference(masked, { x, mask }).outputs
      expect(runReference(masked, { x, mask }, run).outputs).toEqual(expected)
      for (const program of both(masked))
        expectEqual(program.predict({ x, mask }, run), program.predict({ x, mask }))
      expectClose(
        compileSync(masked, { precision: 'f64' }).predict({ x, mask }, run),
        expected,
        rounding,
      )
    },
  )

  it('carry on whether a step has counted', () => {
    const masked = model([gruNode({ inputs: { x: 'x', mask: 'mask' } })], names, [xPort, maskPort])
    const program = compileSync(masked, { precision: 'f64' })
    const states = program.states.map(({ name }) => name)
    expect(states).toEqual(['gru.h', 'gru.seen'])
    for (const seen of [0, 1]) {
      const run = { initialState: { 'gru.seen': [seen] } }
      const { outputs, states: finals } = runReference(masked, { x, mask }, run)
      // Of row 3 no step counts.
      expect(finals['gru.seen'].data[3]).toBe(seen)
      const actual = program.predict({ x, mask }, { ...run, outputs: [...names, ...states] })
      expectClose(actual, { ...outputs, ...finals }, rounding)
    }
  })

  it.each(['repeat', 'zero', 'state'] as const)('in a stream, %s', (maskedOutput) => {
    const masked = model(
      [gruNode({ maskedOutput, inputs: { x: 'x', mask: 'mask' } })],
      ['sequence'],
      [xPort, maskPort],
    )
    for (const program of both(masked)) {
      const { sequence } = program.predict({ x, mask })
      const stream = program.stream()
      for (let row = 0; row < 6; row++) {
        stream.reset()
        for (let t = 0; t < steps; t++) {
          const at = row * steps + t
          stream.inputs.x.set(x.data.subarray(at * features, (at + 1) * features))
          stream.inputs.mask[0] = mask.data[at]
          stream.step()
          const expected = sequence.data.subarray(at * units, (at + 1) * units)
          expect(bits({ data: stream.output })).toEqual(bits({ data: expected }))
        }
      }
    }
  })

  it('lengths cannot stream', () => {
    const inputs = { x: 'x', lengths: 'lengths' }
    const program = compileSync(model([gruNode({ inputs })], names, [xPort, lengthsPort]))
    expect(() => program.stream()).toThrow(/how long the sequence is/)
  })
})

describe('axes in the order of the caller', () => {
  const timeMajor = (dim: Dim): Port => ({
    name: 'x',
    shape: ['time', 'batch', dim],
    axes: [1, 0, 2],
  })
  const swapped = createModel({
    name: 'time first',
    source: 'test',
    inputs: [timeMajor(features)],
    outputs: [{ name: 'y', value: 'sequence', axes: [1, 0, 2] }],
    nodes: [gruNode()],
  })

  it('time may come first, in and out', () => {
    expect(swapped.outputs[0].shape).toEqual(['time', 'batch', units])
    const expected = compileSync(model([gruNode()], ['sequence'])).predict(x).sequence
    const { y } = compileSync(swapped).predict(permuteAxes(x, [1, 0, 2]))
    expect(y.shape).toEqual([steps, batch, units])
    expect(permuteAxes(y, [1, 0, 2]).data).toEqual(expected.data)
    expect(runReference(swapped, permuteAxes(x, [1, 0, 2])).outputs.y.shape).toEqual(y.shape)
  })

  it('a batch axis that is left out stays away', () => {
    const one = { shape: [steps, features], data: x.data.slice(0, steps * features) }
    expect(compileSync(swapped).predict(one).y.shape).toEqual([steps, units])
  })
})

describe('layers on whole tensors', () => {
  const reverse: LayerNode = {
    kind: 'reverse',
    name: 'reverse',
    inputs: { x: 'sequence' },
    outputs: { y: 'reversed' },
    conventions: [],
  }
  const second = gruNode({ name: 'second', features: units, ...secondWeights() })
  const chain = model(
    [gruNode(), reverse, { ...second, inputs: { x: 'reversed' }, outputs: { last: 'end' } }],
    ['end', 'reversed'],
  )

  it('stand between layers in frames', () => {
    const expected = runReference(chain, x).outputs
    expectClose(compileSync(chain, { precision: 'f64' }).predict(x), expected, rounding)
    const [js, wasm] = both(chain)
    expectEqual(wasm.predict(x), js.predict(x))
    expect(js.predict(x).reversed.shape).toEqual([batch, steps, units])
  })

  it('keep a model from streaming, and are named', () => {
    expect(() => compileSync(chain).stream()).toThrow(/reverse: .*whole tensor/)
  })
})

it('a fixed number of timesteps is kept to', () => {
  const fixed = model([gruNode()], ['sequence'], [{ name: 'x', shape: ['batch', steps, features] }])
  const free = model([gruNode()], ['sequence'])
  expect(compileSync(fixed).predict(x)).toEqual(compileSync(free).predict(x))
  const short = { shape: [1, 2, features], data: x.data.slice(0, 2 * features) }
  expect(() => compileSync(fixed).predict(short)).toThrow(/expected \[batch, 70, 3\]/)
  const stream = compileSync(fixed).stream()
  stream.input.set(x.data.subarray(0, features))
  stream.step()
  const first = compileSync(fixed).predict(x).sequence.data.subarray(0, units)
  expect(stream.output).toEqual(first)
})

function secondWeights(): Pick<GruNode, 'weights'> {
  const [{ weights }] = sequential([randomGru(5, units, units)]).nodes as readonly GruNode[]
  return { weights }
}
