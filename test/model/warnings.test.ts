/** What a model's weights give away: units that cannot move, gates shut for good, digits lost. */

import { describe, expect, it } from 'vitest'
import { writeSafetensors } from '../../src/bytes/safetensors.ts'
import { load } from '../../src/index.ts'
import type { ChainLink } from '../../src/model/chain.ts'
import { dense, gru, lstm, sequential, simpleRnn } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

const units = 3

/** Weights of ±½, and what is changed in them. */
function array(shape: readonly number[], change: Readonly<Record<number, number>> = {}): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from(
    { length: size },
    (_, i) => change[i] ?? (i % 2 === 0 ? 0.5 : -0.5),
  )
  return { shape, data, dtype: 'float32' }
}

const warningsOf = (...layers: readonly ChainLink[]): string =>
  sequential(layers).warnings.join('\n')

/** Keras's layout: z, r, h side by side. */
const gruLayer = (bias: Readonly<Record<number, number>>): ChainLink =>
  gru({
    kernel: array([2, 3 * units]),
    recurrentKernel: array([units, 3 * units]),
    bias: array([2, 3 * units], bias),
  })

describe('weights that leave a unit no choice', () => {
  it('healthy weights are no news', () => {
    expect(warningsOf(gruLayer({}), dense({ kernel: array([units, 4]), activation: 'relu' }))).toBe(
      '',
    )
  })

  it('a gate whose bias outweighs all that can arrive is saturated', () => {
    // Inputs within ±3 and states within ±1 bring 2·½·3 + 3·½ = 4.5 at most; σ(13.5) is 1.
    expect(warningsOf(gruLayer({ 1: 18 }))).toBe(
      'gru: the update gate of 1 of 3 units is saturated (unit 1): it moves by less than 0.001 for all inputs within ±3',
    )
    expect(warningsOf(gruLayer({ 3: -18, 5: -18 }))).toMatch(
      /the reset gate of 2 of 3 units is saturated \(units 0, 2\)/,
    )
    // σ(8 − 4.5) still moves.
    expect(warningsOf(gruLayer({ 1: 8 }))).toBe('')
  })

  it('behind a layer that is bounded, the bounds are known', () => {
    const second = gru({
      kernel: array([units, 3 * units]),
      recurrentKernel: array([units, 3 * units]),
      // 3·½ + 3·½ = 3 at most: enough at 11, which would not do for inputs of ±3.
      bias: array([2, 3 * units], { 1: 11 }),
    })
    expect(warningsOf(gruLayer({}), second)).toMatch(
      /gru_1: the update gate of 1 .* whatever arrives$/,
    )
  })

  it('gates of an LSTM, units of a simple RNN', () => {
    const arrays = {
      kernel: array([2, 4 * units]),
      recurrentKernel: array([units, 4 * units]),
      bias: array([4 * units], { 10: -20 }),
    }
    expect(warningsOf(lstm(arrays))).toMatch(/lstm: the output gate of 1 of 3 .*\(unit 1\)/)
    const rnn = simpleRnn({
      kernel: array([2, units]),
      recurrentKernel: array([units, units]),
      bias: array([units], { 2: 20 }),
    })
    expect(warningsOf(rnn)).toMatch(/1 of 3 units is saturated \(2\)/)
  })

  it('a unit that nothing reaches, and one that never gets above zero, are dead', () => {
    const kernel = array([units, 4], { 1: 0, 5: 0, 9: 0 })
    expect(warningsOf(gruLayer({}), dense({ kernel }))).toBe(
      'dense: 1 of 4 units is dead (1): they give the same whatever arrives',
    )
    const bias = array([4], { 2: -2, 3: -2 })
    const relu = dense({ kernel: array([units, 4]), bias, activation: 'relu' })
    expect(warningsOf(gruLayer({}), relu)).toMatch(
      /2 of 4 units are dead \(2, 3\).*whatever arrives$/,
    )
  })

  it('numbers that are not finite are told of, and nothing else of their layer', () => {
    expect(warningsOf(gruLayer({ 1: Number.POSITIVE_INFINITY }))).toMatch(
      /^gru: 1 of 3 numbers in inputBias\.z are not finite \(the first, Infinity, at index 1\)/,
    )
  })

  it.skipIf(!haveShared)('a published model with reset gates shut for good', async () => {
    const { warnings } = await load(sharedPath('models/publications-pt/best_model.pth'))
    expect(warnings.join()).toMatch(/gru\.l0: the reset gate of 33 of 64 units is saturated/)
  })
})

describe('models of the kinds that a page has at hand', () => {
  const layer = (bias: Tensor): Uint8Array =>
    writeSafetensors({
      tensors: {
        kernel: array([2, 3 * units]),
        recurrent_kernel: array([units, 3 * units]),
        bias,
      },
    })

  it('are looked at as closely', async () => {
    const stuck = layer(array([2, 3 * units], { 1: 18 }))
    expect((await load(stuck)).warnings.join()).toMatch(/update gate of 1 of 3 units is saturated/)
    const fine = layer(array([2, 3 * units]))
    expect((await load(fine)).warnings.join()).not.toMatch(/saturated|dead/)
  })
})
