/**
 * State Jacobians against central differences of the reference, for every cell and every variant.
 */

import { describe, expect, it } from 'vitest'
import type { ElementwiseKind } from '../../src/model/activation/activations.ts'
import { activationTable } from '../../src/model/activation/table.ts'
import { bidirectional, isRecurrent, type Model, sequential } from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { collect, stateInfluence, stateJacobian, trace } from '../../src/trace/index.ts'
import { gruVariants, nameOf } from '../support/engines.ts'
import { thrownBy } from '../support/errors.ts'
import {
  random,
  randomArrays,
  randomGru,
  randomLstm,
  randomRnn,
  randomTensor,
} from '../support/random.ts'

const [features, units, steps] = [3, 4, 7]
const x = randomTensor(1, [steps, features])
const peephole = randomTensor(5, [3 * units], 0.5)

const variants = [
  ...gruVariants.map(
    (variant) => [`GRU, ${nameOf(variant)}`, randomGru(7, features, units, variant)] as const,
  ),
  ['GRU, clipped', randomGru(8, features, units, { clip: 0.4 })],
  ['GRU, backwards', randomGru(8, features, units, { goBackwards: true })],
  ['LSTM', randomLstm(9, features, units)],
  ['LSTM with peepholes', randomLstm(9, features, units, { peephole })],
  ['LSTM, coupled', randomLstm(9, features, units, { coupled: true, peephole })],
  ['LSTM, clipped', randomLstm(9, features, units, { clip: 0.4, outputActivation: 'softsign' })],
  ['simple RNN', randomRnn(10, features, units)],
  ['simple RNN, clipped', randomRnn(10, features, units, { clip: 0.3 })],
  ...(Object.keys(activationTable) as ElementwiseKind[]).flatMap((activation) => [
    [`GRU with ${activation}`, randomGru(11, features, units, { activation })] as const,
    [
      `GRU with ${activation} gates, reset before`,
      randomGru(12, features, units, { reset: 'before', recurrentActivation: activation }),
    ] as const,
    [
      `LSTM with ${activation} everywhere`,
      randomLstm(13, features, units, {
        activation,
        recurrentActivation: activation,
        // e^e^a would overflow.
        ...(activation === 'exponential' && { outputActivation: 'tanh' }),
      }),
    ] as const,
    [`simple RNN with ${activation}`, randomRnn(14, features, units, { activation })] as const,
  ]),
] as const

/** From a given state over some steps to the states after them, by slot. */
function finalStates(model: Model, part: Tensor, initial: Record<string, Tensor>) {
  const [{ name }] = model.nodes.filter(isRecurrent)
  const initialState = Object.fromEntries(
    Object.entries(initial).map(([slot, state]) => [`${name}.${slot}`, state]),
  )
  const { states } = runReference(model, part, { initialState })
  return (slot: string): Tensor['data'] => states[`${name}.${slot}`].data
}

describe('∂(state after a step)/∂(state some steps before)', () => {
  it.each(variants)('%s: central differences to 1e-6', (_, layer) => {
    const model = sequential([layer])
    const [node] = model.nodes.filter(isRecurrent)
    const slots = node.kind === 'lstm' ? ['h', 'c'] : ['h']
    const next = random(3)
    const initial = Object.fromEntries(
      slots.map((slot) => [
        slot,
        { shape: [units], data: Float64Array.from({ length: units }, () => next() - 0.5) },
      ]),
    )
    const initialState = Object.fromEntries(
      slots.map((slot) => [`${node.name}.${slot}`, initial[slot]]),
    )
    for (const back of [1, 3]) {
      const at = node.direction === 'forward' ? back - 1 : steps - back
      const part: Tensor =
        node.direction === 'forward'
          ? { shape: [back, features], data: x.data.subarray(0, back * features) }
          : { shape: [back, features], data: x.data.subarray((steps - back) * features) }
      const jacobian = stateJacobian(model, x, { layer: node.name, back, at, initialState })
      for (const by of slots) {
        for (let j = 0; j < units; j++) {
          const step = 1e-5
          const moved = (sign: number) => {
            const data = initial[by].data.slice()
            data[j] += sign * step
            return finalStates(model, part, { ...initial, [by]: { shape: [units], data } })
          }
          const [up, down] = [moved(1), moved(-1)]
          for (const of of slots) {
            const { data } = jacobian[of][by]
            const largest = Math.max(1, ...data.map(Math.abs))
            for (let i = 0; i < units; i++) {
              const difference = (up(of)[i] - down(of)[i]) / (2 * step)
              expect(Math.abs(data[i * units + j] - difference) / largest).toBeLessThan(1e-6)
            }
          }
        }
      }
    }
  })

  it('several steps are the product of single ones', () => {
    const model = sequential([randomGru(20, features, units)])
    const one = (at: number) => stateJacobian(model, x, { layer: 'gru', back: 1, at }).h.h.data
    const two = stateJacobian(model, x, { layer: 'gru', back: 2 }).h.h.data
    const [last, before] = [one(steps - 1), one(steps - 2)]
    for (let i = 0; i < units; i++) {
      for (let j = 0; j < units; j++) {
        let sum = 0
        for (let k = 0; k < units; k++) sum += last[i * units + k] * before[k * units + j]
        expect(two[i * units + j]).toBeCloseTo(sum, 14)
      }
    }
  })

  it('masked steps pass the state on', () => {
    const model = sequential([randomGru(20, features, units)])
    const mask = [true, true, true, true, true, true, false]
    const { data } = stateJacobian(model, x, { layer: 'gru', back: 1, mask }).h.h
    expect(Array.from(data)).toEqual(
      Array.from({ length: units * units }, (_, i) => Number(i % (units + 1) === 0)),
    )
  })

  it('of a layer behind others, in either direction', () => {
    const arrays = randomArrays(2, features, units, 3)
    const model = sequential([
      bidirectional({ name: 'both', forward: arrays, backward: arrays }),
      randomGru(3, 2 * units, 2),
    ])
    for (const layer of ['both.forward', 'both.backward', 'gru']) {
      expect(stateJacobian(model, x, { layer, back: 2 }).h.h.data.every(Number.isFinite)).toBe(true)
    }
    expect(collect(trace(model, x)).gru.h.shape).toEqual([1, steps, 2])
  })

  it('what is not there is named', () => {
    const model = sequential([randomGru(20, features, units)])
    const error = (options: object) =>
      thrownBy(() => stateJacobian(model, x, { layer: 'gru', back: 1, ...options }))
    expect(error({ layer: 'lstm' })).toMatchObject({ code: 'not-found' })
    expect(error({ back: 8 })).toMatchObject({
      where: 'back',
      expected: 'a whole number from 1 to 7',
    })
    expect(error({ at: 7 })).toMatchObject({ where: 'at' })
    expect(error({ row: 1 })).toMatchObject({ where: 'row' })
  })
})

describe('how strongly a state depends on earlier ones', () => {
  it('is the root mean square of the singular values', () => {
    const model = sequential([randomLstm(20, features, units)])
    const influence = stateInfluence(model, x, { layer: 'lstm', back: 4 })
    expect(influence).toHaveLength(4)
    influence.forEach((value, i) => {
      const { data } = stateJacobian(model, x, { layer: 'lstm', back: i + 1 }).h.h
      const squares = Array.from(data).reduce((sum, each) => sum + each * each, 0)
      expect(value).toBeCloseTo(Math.sqrt(squares / units), 14)
    })
  })
})
