/** Statistics against a direct computation over the whole trace. */

import { describe, expect, it } from 'vitest'
import { gru, lstm, type Model, sequential } from '../../src/model/index.ts'
import { collect, describeStatistics, statistics, trace } from '../../src/trace/index.ts'
import { randomArrays, randomGru, randomLstm, randomRnn, randomTensor } from '../support/random.ts'

const [rows, features, units, steps] = [2, 3, 5, 600]
const x = randomTensor(1, [rows, steps, features], 4)
const of = (model: Model, options: object = {}) => {
  const [layer] = statistics(model, trace(model, x, options))
  return layer
}
const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length

describe('statistics of a GRU', () => {
  for (const update of ['keeps', 'updates'] as const) {
    const model = sequential([randomGru(2, features, units, { update })])
    const values = collect(trace(model, x)).gru
    const column = (name: string, u: number): number[] =>
      Array.from(values[name].data).filter((_, i) => i % units === u)
    const layer = of(model)

    it(`${update}: shares, means, memory and activity of every unit`, () => {
      expect(layer).toMatchObject({ layer: 'gru', kind: 'gru', units, skipped: 0, dead: [] })
      expect(layer.steps).toBe(rows * steps)
      for (let u = 0; u < units; u++) {
        for (const gate of ['z', 'r']) {
          const numbers = column(gate, u)
          const gateStatistics = layer.gates[gate]
          expect(gateStatistics.left[u]).toBe(mean(numbers.map((each) => Number(each < 0.1))))
          expect(gateStatistics.right[u]).toBe(mean(numbers.map((each) => Number(each > 0.9))))
          expect(gateStatistics.mean[u]).toBeCloseTo(mean(numbers), 12)
          expect(gateStatistics.min[u]).toBe(Math.min(...numbers))
          expect(gateStatistics.max[u]).toBe(Math.max(...numbers))
          const variance = mean(numbers.map((each) => (each - mean(numbers)) ** 2))
          expect(gateStatistics.deviation[u]).toBeCloseTo(Math.sqrt(variance), 12)
        }
        const keep = column('z', u).map((z) => (update === 'keeps' ? z : 1 - z))
        expect(layer.memory![u]).toBeCloseTo(-1 / mean(keep.map(Math.log)), 9)
        expect(layer.candidate!.activity[u]).toBeCloseTo(mean(column('n', u).map(Math.abs)), 12)
      }
      expect(mean(layer.gates.z.left as number[])).toBeGreaterThan(0)
    })

    it(`${update}: histograms hold every number once`, () => {
      const { histogram } = layer.gates.z
      expect(histogram.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
      const lowest = Array.from(values.z.data).filter((each) => each < 0.05).length
      expect(histogram[0]).toBeCloseTo(lowest / values.z.data.length, 12)
    })
  }

  it('the size of the chunks changes nothing', () => {
    const model = sequential([randomGru(2, features, units)])
    expect(of(model, { chunk: 1 })).toEqual(of(model, { chunk: 1000 }))
  })
})

describe('other layers', () => {
  it('an LSTM remembers by its forget gate', () => {
    const model = sequential([randomLstm(3, features, units)])
    const { f } = collect(trace(model, x)).lstm
    const logs = Array.from(f.data)
      .filter((_, i) => i % units === 2)
      .map(Math.log)
    expect(of(model).memory![2]).toBeCloseTo(-1 / mean(logs), 9)
    expect(Object.keys(of(model).gates)).toEqual(['i', 'f', 'o'])
  })

  it('a simple RNN has no gates and no memory of this kind', () => {
    expect(of(sequential([randomRnn(3, features, units)]))).toMatchObject({
      gates: {},
      candidate: null,
      memory: null,
    })
  })

  it('gates that keep nothing, or everything, have no memory, or one without end', () => {
    const arrays = { kernel: randomTensor(1, [1, 3]), recurrentKernel: [[0, 0, 0]] }
    const layer = (z: number, update: 'keeps' | 'updates') => {
      const model = sequential([
        gru({
          ...arrays,
          bias: [z, 0, 0],
          recurrentActivation: 'hard_sigmoid',
          update,
          kernel: [[0, 0, 1]],
        }),
      ])
      return statistics(model, trace(model, [[1], [2], [3]]))[0]
    }
    const memory = (z: number, update: 'keeps' | 'updates') => layer(z, update).memory![0]
    const words = (z: number) => describeStatistics(layer(z, 'keeps')).join(' ')
    expect(memory(9, 'keeps')).toBe(Number.POSITIVE_INFINITY)
    expect(words(9)).toContain(
      'Half of the units forget nothing; the shortest memory is without end',
    )
    expect(memory(-9, 'keeps')).toBeCloseTo(0, 12)
    expect(memory(9, 'updates')).toBeCloseTo(0, 12)
  })
})

describe('dead and duplicate units', () => {
  const arrays = randomArrays(5, features, units, 4)
  /** Unit 3 becomes a copy of unit 1 in every gate; unit 4 gets zero weights. */
  const doctored = (data: Float32Array | Float64Array, rowsOf: number, recurrent: boolean) => {
    const copy = data.slice()
    for (let i = 0; i < rowsOf; i++) {
      for (let gate = 0; gate < 4; gate++) {
        const at = i * 4 * units + gate * units
        copy[at + 3] = copy[at + 1]
        copy[at + 4] = 0
        if (recurrent && i === 4) copy.fill(0, at, at + units)
      }
    }
    return copy
  }
  const model = sequential([
    lstm({
      kernel: { shape: arrays.kernel.shape, data: doctored(arrays.kernel.data, features, false) },
      recurrentKernel: {
        shape: arrays.recurrentKernel.shape,
        data: doctored(arrays.recurrentKernel.data, units, true),
      },
      bias: { shape: arrays.bias.shape, data: doctored(arrays.bias.data, 2, false) },
    }),
  ])
  const layer = of(model)

  it('are found', () => {
    expect(layer.dead).toEqual([4])
    expect(layer.duplicates).toEqual([{ unit: 3, of: 1, correlation: expect.closeTo(1, 9) }])
  })

  it('and reported in words', () => {
    const words = describeStatistics(layer).join(' ')
    expect(words).toContain('Unit 4 stays where it is: dead on this input')
    expect(words).toContain('Units that say the same: 3 repeats 1')
  })

  it('masked steps are left out and counted', () => {
    const mask = Array.from({ length: rows }, () => Array.from({ length: steps }, (_, t) => t % 2))
    expect(of(model, { mask })).toMatchObject({
      steps: (rows * steps) / 2,
      skipped: (rows * steps) / 2,
    })
  })
})
