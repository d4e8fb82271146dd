/** Traces: every value is what its equation says, and the gates recombine to the outputs. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../../src/bytes/numpy/npy.ts'
import { readNpz } from '../../src/bytes/numpy/npz.ts'
import { load } from '../../src/index.ts'
import {
  bidirectional,
  type GruNode,
  isRecurrent,
  lstm,
  type Model,
  sequential,
  simpleRnn,
} from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { collect, trace } from '../../src/trace/index.ts'
import { randomArrays, randomGru, randomTensor } from '../support/random.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

const [features, units, rows, steps] = [3, 5, 2, 41]
const x = randomTensor(1, [rows, steps, features])
const arrays = (gates: number) => randomArrays(gates, features, units, gates, 1)
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))

describe('the values of a GRU', () => {
  const model = sequential([randomGru(4, features, units)])
  const [node] = model.nodes as readonly GruNode[]
  const { gru: values } = collect(trace(model, x))
  const at = ({ data }: Tensor, row: number, t: number, u: number): number =>
    data[(row * steps + t) * units + u]

  it('each is what its equation says of the others', () => {
    const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
    for (let row = 0; row < rows; row++) {
      for (let t = 0; t < steps; t++) {
        for (let u = 0; u < units; u++) {
          const v = (name: string): number => at(values[name], row, t, u)
          const previous = (unit: number): number => (t === 0 ? 0 : at(values.h, row, t - 1, unit))
          for (const gate of ['z', 'r', 'n'] as const) {
            let xg = inputBias![gate].data[u]
            for (let i = 0; i < features; i++)
              xg += kernel[gate].data[i * units + u] * x.data[(row * steps + t) * features + i]
            let hg = recurrentBias![gate].data[u]
            for (let i = 0; i < units; i++)
              hg += recurrentKernel[gate].data[i * units + u] * previous(i)
            expect(v(`x${gate}`)).toBeCloseTo(xg, 12)
            expect(v(`h${gate}`)).toBeCloseTo(hg, 12)
          }
          expect(v('z')).toBeCloseTo(sigmoid(v('xz') + v('hz')), 14)
          expect(v('r')).toBeCloseTo(sigmoid(v('xr') + v('hr')), 14)
          expect(v('n')).toBeCloseTo(Math.tanh(v('xn') + v('r') * v('hn')), 14)
          expect(v('h')).toBe(v('z') * previous(u) + (1 - v('z')) * v('n'))
        }
      }
    }
  })

  it('the states are the outputs of the reference, to the bit', () => {
    expect(values.h.data).toEqual(runReference(model, x).outputs.y.data)
  })

  it('the size of the chunks changes nothing', () => {
    for (const chunk of [1, 7, steps]) {
      expect(collect(trace(model, x, { chunk })).gru).toEqual(values)
    }
    const first = [...trace(model, x, { chunk: 16 })].map((chunk) => [
      chunk.row,
      chunk.first,
      chunk.steps,
    ])
    expect(first.slice(0, 4)).toEqual([
      [0, 0, 16],
      [0, 16, 16],
      [0, 32, 9],
      [1, 0, 16],
    ])
  })
})

describe('every recurrent layer', () => {
  const stack = sequential([
    bidirectional({ name: 'both', forward: arrays(3), backward: arrays(3) }),
    randomGru(8, 2 * units, units),
  ])
  const models: Readonly<Record<string, readonly [Model, string]>> = {
    lstm: [sequential([lstm(arrays(4))]), 'lstm'],
    rnn: [sequential([simpleRnn({ name: 'rnn', ...arrays(1) })]), 'rnn'],
    'a stack over both directions': [stack, 'gru'],
  }
  it.each(Object.entries(models))('%s: its last layer ends in the outputs', (_, [model, layer]) => {
    const { name } = model.nodes.find((node) => node.name === layer && isRecurrent(node))!
    const h = collect(trace(model, x))[name].h
    const { y } = runReference(model, x).outputs
    h.data.forEach((value, i) => {
      expect(value).toBeCloseTo(y.data[i], 12)
    })
  })

  it('a backward layer begins at the end', () => {
    const traced = trace(stack, x, { layers: ['both.backward'], chunk: 30 })
    expect([...traced].map(({ row, first }) => [row, first])).toEqual([
      [0, 11],
      [0, 0],
      [1, 11],
      [1, 0],
    ])
    expect(traced.layers).toMatchObject([
      { kind: 'gru', direction: 'backward', rows, steps, units },
    ])
  })

  it('masked steps have a state and no gates', () => {
    const model = sequential([randomGru(4, features, units)])
    const mask = Array.from({ length: rows }, () =>
      Array.from({ length: steps }, (_, t) => t % 3 > 0),
    )
    const { z, h } = collect(trace(model, x, { mask })).gru
    expect(z.data.subarray(0, units).every(Number.isNaN)).toBe(true)
    expect(z.data.subarray(units, 2 * units).some(Number.isNaN)).toBe(false)
    expect(h.data.subarray(3 * units, 4 * units)).toEqual(h.data.subarray(2 * units, 3 * units))
  })

  it('an initial state is taken', () => {
    const model = sequential([randomGru(4, features, units)])
    const initialState = randomTensor(9, [rows, units])
    const { h } = collect(trace(model, x, { initialState })).gru
    expect(h.data).toEqual(runReference(model, x, { initialState }).outputs.y.data)
  })

  it.each(['forward', 'backward'] as const)(
    '%s: a chunk knows what came before it',
    (direction) => {
      const name = `both.${direction}`
      const { h } = collect(trace(stack, x))[name]
      const initialState = { [`${name}.h`]: randomTensor(9, [rows, units]) }
      for (const [options, initial] of [
        [{}, new Float64Array(rows * units)],
        [{ initialState }, Float64Array.from(initialState[`${name}.h`].data)],
      ] as const) {
        const own = collect(trace(stack, x, options))[name].h.data
        for (const { row, first, steps: count, before } of trace(stack, x, {
          ...options,
          layers: [name],
          chunk: 10,
        })) {
          const t = direction === 'forward' ? first - 1 : first + count
          const at = (row * steps + t) * units
          const inside = t >= 0 && t < steps
          expect(before.h).toEqual(
            inside ? own.slice(at, at + units) : initial.slice(row * units, (row + 1) * units),
          )
        }
        expect(own.length).toBe(h.data.length)
      }
    },
  )

  it('the name of a bidirectional layer stands for both of its halves', () => {
    const { layers } = trace(stack, x, { layers: ['both'] })
    expect(layers.map(({ name }) => name)).toEqual(['both.forward', 'both.backward'])
    expect(() => trace(stack, x, { layers: ['bot'] })).toThrow(/no recurrent layer 'bot'/)
  })

  it('a layer that is not there is named', () => {
    expect(() => trace(stack, x, { layers: ['nowhere'] })).toThrow(/no recurrent layer 'nowhere'/)
  })
})

describe('some timesteps only', () => {
  it.each([
    ['forward', 'both.forward'],
    ['backward', 'both.backward'],
  ])('%s: the same numbers as in the whole trace', (_, layer) => {
    const model = sequential([
      bidirectional({ name: 'both', forward: arrays(3), backward: arrays(3) }),
    ])
    const whole = collect(trace(model, x, { layers: [layer] }))[layer]
    const some = collect(trace(model, x, { layers: [layer], steps: [7, 30], chunk: 10 }))[layer]
    for (const [name, { shape, data }] of Object.entries(some)) {
      expect(shape).toEqual([rows, 23, units])
      for (let row = 0; row < rows; row++) {
        const from = (row * steps + 7) * units
        expect(data.slice(row * 23 * units, (row + 1) * 23 * units)).toEqual(
          whole[name].data.slice(from, from + 23 * units),
        )
      }
    }
  })

  it('to the end, where no end is given', () => {
    const model = sequential([randomGru(4, features, units)])
    const [layer] = trace(model, x, { steps: [30] }).layers
    expect(layer).toMatchObject({ first: 30, steps: steps - 30 })
  })

  it('those that are not there are refused', () => {
    const model = sequential([randomGru(4, features, units)])
    for (const wrong of [[-1, 3], [3, 3], [0, steps + 1], [0.5, 2], [steps]] as const)
      expect(() => trace(model, x, { steps: wrong })).toThrow(/timesteps are not there/)
  })
})

describe.skipIf(!haveShared)('the seed’s layer (beside the project, absent here)', () => {
  it('every value equals a plain computation from the file’s arrays to 1e-12', async () => {
    const bytes = readFileSync(sharedPath('vectors/seed/GRUMatrices.npz'))
    const { wMatrix: W, uMatrix: U, biases: b } = await readNpz(bytes)
    const input = readNpy(readFileSync(sharedPath('vectors/seed/x.npy')))
    const { gru } = collect(trace(await load(bytes), input))
    const size = 6
    let h = new Array<number>(size).fill(0)
    for (let t = 0; t < input.shape[0]; t++) {
      const xs = input.data.subarray(t * size, (t + 1) * size)
      const sum = (from: Tensor, v: ArrayLike<number>, bias: number, column: number): number => {
        let total = b.data[bias * 3 * size + column]
        for (let i = 0; i < size; i++) total += from.data[i * 3 * size + column] * v[i]
        return total
      }
      const next = h.map((old, u) => {
        const expected: Record<string, number> = {}
        for (const [k, gate] of ['z', 'r', 'n'].entries()) {
          expected[`x${gate}`] = sum(W, xs, 0, k * size + u)
          expected[`h${gate}`] = sum(U, h, 1, k * size + u)
        }
        expected.z = sigmoid(expected.xz + expected.hz)
        expected.r = sigmoid(expected.xr + expected.hr)
        expected.n = Math.tanh(expected.xn + expected.r * expected.hn)
        expected.h = expected.z * old + (1 - expected.z) * expected.n
        for (const [name, value] of Object.entries(expected))
          expect(Math.abs(gru[name].data[t * size + u] - value)).toBeLessThanOrEqual(1e-12)
        return expected.h
      })
      h = next
    }
  })
})
