/** Two readings of one layer: the first value that differs, and the convention that does. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../../src/bytes/numpy/npy.ts'
import { type ConventionOptions, load } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { type GruOptions, sequential } from '../../src/model/index.ts'
import { collect, compareModels, trace } from '../../src/trace/index.ts'
import { thrownBy } from '../support/errors.ts'
import { randomGru, randomLstm, randomTensor } from '../support/random.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

const [features, units, steps] = [3, 4, 9]
const x = randomTensor(1, [2, steps, features])
const layer = (options: Partial<GruOptions> = {}) =>
  sequential([randomGru(2, features, units, options)])

describe('readings of one layer', () => {
  it('the same reading: nothing differs', () => {
    const { difference, layers, words } = compareModels(layer(), layer(), x)
    expect(difference).toBeNull()
    expect(layers[0]).toMatchObject({ conventions: [], weights: [] })
    expect(words.join(' ')).toContain('No gate and no state differs')
  })

  it.each<readonly [string, Partial<GruOptions>, string, number]>([
    ['update', { update: 'updates' }, 'h', 0],
    ['bias', { biasPlacement: 'merged' }, 'n', 0],
    ['reset', { reset: 'before', biasPlacement: 'separate' }, 'n', 0],
    ['activation', { activation: 'softsign' }, 'n', 0],
    ['recurrentActivation', { recurrentActivation: 'hard_sigmoid' }, 'z', 0],
    ['gateOrder', { gateOrder: 'rzn' }, 'z', 0],
  ])('%s alone: the value it acts on is the first to differ', (key, options, value, timestep) => {
    const { difference, layers } = compareModels(layer(), layer(options), x)
    expect(difference).toMatchObject({ layer: 'gru', value, timestep, row: 0 })
    const [convention, ...others] = layers[0].conventions
    expect(others).toEqual([])
    expect(convention.key).toBe(key)
    expect(convention.moves).toContain(value)
  })

  it('numbers within the tolerance are the same', () => {
    const moved = sequential([
      randomGru(2, features, units, { recurrentActivation: 'hard_sigmoid(alpha=0.21, beta=0.5)' }),
    ])
    const other = layer({ recurrentActivation: 'hard_sigmoid' })
    expect(compareModels(moved, other, x).difference).not.toBeNull()
    expect(compareModels(moved, other, x, { tolerance: 1 }).difference).toBeNull()
  })

  it('a backward layer is compared in the order of computing', () => {
    const other = layer({ goBackwards: true, update: 'updates' })
    expect(compareModels(layer({ goBackwards: true }), other, x).difference).toMatchObject({
      value: 'h',
      timestep: steps - 1,
    })
  })

  it('other weights are named', () => {
    const other = sequential([randomGru(3, features, units)])
    expect(compareModels(layer(), other, x).layers[0].weights).toContain('kernel.z')
  })

  it('the largest difference of every timestep, from the first that was asked for', () => {
    const [first, second] = [layer(), layer({ update: 'updates' })]
    const [{ from, values }] = compareModels(first, second, x, { steps: [3, 8], chunk: 2 }).layers
    expect(from).toBe(3)
    const [a, b] = [first, second].map((model) => collect(trace(model, x)).gru)
    for (const { value, overTime } of values) {
      expect(overTime).toHaveLength(5)
      overTime.forEach((largest, i) => {
        let expected = 0
        for (let row = 0; row < 2; row++) {
          for (let u = 0; u < units; u++) {
            const at = (row * steps + 3 + i) * units + u
            expected = Math.max(expected, Math.abs(a[value].data[at] - b[value].data[at]))
          }
        }
        expect(largest).toBe(expected)
      })
    }
  })

  it('the layout of a file affects nothing where the numbers are the same', () => {
    const same = layer()
    const [node] = same.nodes
    const conventions = node.conventions.map((each) =>
      each.key === 'gateOrder' ? { ...each, value: 'rzn' } : each,
    )
    const other = createModel({ ...same, nodes: [{ ...node, conventions }] })
    const { difference, layers, words } = compareModels(same, other, x)
    expect(difference).toBeNull()
    expect(layers[0].conventions).toMatchObject([{ key: 'gateOrder', moves: [] }])
    expect(words.join(' ')).toContain('in the second; the numbers are the same')
  })

  it('inputs, their axes and states go by their order, whatever a file calls them', () => {
    const ours = layer()
    const [node] = ours.nodes
    const theirs = createModel({
      ...ours,
      inputs: [{ name: 'input_1', shape: ['time', 'batch', features], axes: [1, 0, 2] }],
      nodes: [{ ...node, name: 'gru_7', inputs: { x: 'input_1' } }],
    })
    const initialState = { 'gru.h': randomTensor(4, [2, units]) }
    const { difference, layers } = compareModels(ours, theirs, { x }, { initialState })
    expect(difference).toBeNull()
    expect(layers).toMatchObject([{ layer: 'gru', other: 'gru_7' }])
  })

  it('a layer that is not there is named', () => {
    expect(
      thrownBy(() => compareModels(layer(), layer(), x, { layers: ['lstm'] })).message,
    ).toContain("no recurrent layer 'lstm'")
  })

  it('layers of other kinds cannot be compared', () => {
    const other = sequential([randomLstm(3, features, units)])
    expect(thrownBy(() => compareModels(layer(), other, x))).toMatchObject({
      code: 'bad-argument',
      expected: 'the same recurrent layers: gru of 4 units, forward',
    })
  })
})

describe.skipIf(!haveShared)('the seed’s weights (beside the project, absent here)', () => {
  const seed = (name: string): Uint8Array => readFileSync(sharedPath(`vectors/seed/${name}`))
  const reading = (conventions: ConventionOptions) => load(seed('GRUMatrices.npz'), { conventions })

  it.each(['after', 'before'] as const)(
    'the notebook’s reading (reset %s) against Keras’s: n at t = 0, the sense of z, the bias',
    async (reset) => {
      const notebook = await reading({ update: 'updates', bias: 'merged', reset })
      const keras = await reading({})
      const { difference, layers, words } = compareModels(notebook, keras, readNpy(seed('x.npy')))
      expect(difference).toMatchObject({ value: 'n', timestep: 0 })
      const firsts = Object.fromEntries(
        layers[0].values.map(({ value, first }) => [value, first?.timestep]),
      )
      expect(firsts).toEqual({ z: 1, r: 1, n: 0, h: 0 })
      const keys = layers[0].conventions.map(({ key }) => key)
      expect(keys).toEqual(reset === 'after' ? ['update', 'bias'] : ['reset', 'update', 'bias'])
      expect(layers[0].weights).toEqual([])
      expect(words.join(' ')).toContain('z, r still agree there')
      expect(words.join(' ')).toContain('The update gate: updates')
      expect(words.join(' ')).toContain('merged (beside the input bias')
    },
  )
})
