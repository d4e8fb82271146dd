/** Warnings about a model's weights: dead units, saturated gates, lost digits, odd numbers. */

import { describe, expect, it } from 'vitest'
import { writeSafetensors } from '../../src/bytes/safetensors.ts'
import { load } from '../../src/index.ts'
import type { ChainLink } from '../../src/model/chain.ts'
import { createModel } from '../../src/model/graph.ts'
import { dense, gru, lstm, sequential, simpleRnn } from '../../src/model/index.ts'
import { warningsOf, withWarnings } from '../../src/model/warnings/index.ts'
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

const warningsOfLayers = async (...layers: readonly ChainLink[]): Promise<string> =>
  (await warningsOf(sequential(layers))).join('\n')

/** Keras's layout: z, r, h side by side. */
const gruLayer = (bias: Readonly<Record<number, number>>): ChainLink =>
  gru({
    kernel: array([2, 3 * units]),
    recurrentKernel: array([units, 3 * units]),
    bias: array([2, 3 * units], bias),
  })

describe('weights that leave a unit no choice', () => {
  it('healthy weights are no news', async () => {
    expect(
      await warningsOfLayers(
        gruLayer({}),
        dense({ kernel: array([units, 4]), activation: 'relu' }),
      ),
    ).toBe('')
  })

  it('a gate whose bias outweighs all that can arrive is saturated', async () => {
    // Inputs within ±3 and states within ±1 bring 2·½·3 + 3·½ = 4.5 at most; σ(13.5) is 1.
    expect(await warningsOfLayers(gruLayer({ 1: 18 }))).toBe(
      'gru: the update gate of 1 of 3 units is saturated (unit 1): it moves by less than 0.001 for all inputs within ±3',
    )
    expect(await warningsOfLayers(gruLayer({ 3: -18, 5: -18 }))).toMatch(
      /the reset gate of 2 of 3 units is saturated \(units 0, 2\)/,
    )
    // σ(8 − 4.5) still moves.
    expect(await warningsOfLayers(gruLayer({ 1: 8 }))).toBe('')
  })

  it('behind a layer that is bounded, the bounds are known', async () => {
    const second = gru({
      kernel: array([units, 3 * units]),
      recurrentKernel: array([units, 3 * units]),
      // 3·½ + 3·½ = 3 at most: enough at 11, which would not do for inputs of ±3.
      bias: array([2, 3 * units], { 1: 11 }),
    })
    expect(await warningsOfLayers(gruLayer({}), second)).toMatch(
      /gru_1: the update gate of 1 .* whatever arrives$/,
    )
  })

  it('gates of an LSTM, units of a simple RNN', async () => {
    const arrays = {
      kernel: array([2, 4 * units]),
      recurrentKernel: array([units, 4 * units]),
      bias: array([4 * units], { 10: -20 }),
    }
    expect(await warningsOfLayers(lstm(arrays))).toMatch(
      /lstm: the output gate of 1 of 3 .*\(unit 1\)/,
    )
    const rnn = simpleRnn({
      kernel: array([2, units]),
      recurrentKernel: array([units, units]),
      bias: array([units], { 2: 20 }),
    })
    expect(await warningsOfLayers(rnn)).toMatch(/1 of 3 units is saturated \(2\)/)
  })

  it('a unit that nothing reaches, and one that never gets above zero, are dead', async () => {
    const kernel = array([units, 4], { 1: 0, 5: 0, 9: 0 })
    expect(await warningsOfLayers(gruLayer({}), dense({ kernel }))).toBe(
      'dense: 1 of 4 units is dead (1): they give the same whatever arrives',
    )
    const bias = array([4], { 2: -2, 3: -2 })
    const relu = dense({ kernel: array([units, 4]), bias, activation: 'relu' })
    expect(await warningsOfLayers(gruLayer({}), relu)).toMatch(
      /2 of 4 units are dead \(2, 3\).*whatever arrives$/,
    )
  })

  it('numbers that are not finite are told of, and nothing else of their layer', async () => {
    expect(await warningsOfLayers(gruLayer({ 1: Number.POSITIVE_INFINITY }))).toMatch(
      /^gru: 1 of 3 numbers in inputBias\.z are not finite \(the first, Infinity, at index 1\)/,
    )
  })

  it('half precision is named once for all layers', async () => {
    const half = (shape: readonly number[]): Tensor => ({ ...array(shape), dtype: 'float16' })
    const layers = [dense({ kernel: half([2, 3]) }), dense({ kernel: half([3, 2]) })]
    expect(await warningsOfLayers(...layers)).toBe(
      'weights are stored in float16: they have few digits',
    )
  })

  it.skipIf(!haveShared)('a published model whose reset gates are saturated', async () => {
    const { warnings } = await load(sharedPath('models/publications-pt/best_model.pth'))
    expect(warnings.join()).toMatch(/gru\.l0: the reset gate of 33 of 64 units is saturated/)
  })
})

describe('a model', () => {
  const model = sequential([gruLayer({ 1: 18 })])

  it('is built without looking at its weights', () => {
    expect(model.warnings).toEqual([])
  })

  it('keeps its own warnings before these, each once, and stays frozen', async () => {
    const [saturated] = await warningsOf(model)
    const own = createModel({ ...model, warnings: ['own', 'own'] })
    const warned = await withWarnings(await withWarnings(own))
    expect(warned).toEqual({ ...model, warnings: ['own', saturated] })
    expect(Object.isFrozen(warned) && Object.isFrozen(warned.warnings)).toBe(true)
  })
})

describe('loading', () => {
  const layer = (bias: Tensor): Uint8Array =>
    writeSafetensors({
      tensors: {
        kernel: array([2, 3 * units]),
        recurrent_kernel: array([units, 3 * units]),
        bias,
      },
    })

  it('adds these warnings, to models of core layers as well', async () => {
    const saturated = layer(array([2, 3 * units], { 1: 18 }))
    expect((await load(saturated)).warnings.join()).toMatch(
      /update gate of 1 of 3 units is saturated/,
    )
    const fine = layer(array([2, 3 * units]))
    expect((await load(fine)).warnings.join()).not.toMatch(/saturated|dead/)
  })
})
