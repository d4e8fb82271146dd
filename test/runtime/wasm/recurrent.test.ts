/** LSTM and simple RNN in WebAssembly: without fused operations the bits of the JavaScript kernels. */

import { describe, it } from 'vitest'
import { compileSync } from '../../../src/index.ts'
import type { ChainLink } from '../../../src/model/chain.ts'
import { activationTable, bidirectional, sequential } from '../../../src/model/index.ts'
import { runReference } from '../../../src/runtime/reference/index.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import type { Tensor } from '../../../src/tensor.ts'
import { expectClose, expectSameBits, expectSameStream } from '../../support/engines.ts'
import {
  randomArrays,
  randomGru,
  randomLstm,
  randomRnn,
  randomTensor,
} from '../../support/random.ts'
import { sample, upTo } from '../../support/sample.ts'
import { itRunsOnAnyTarget } from './support.ts'

type Layer = (seed: number, features: number, units: number) => ChainLink

const peephole = (units: number): Tensor => randomTensor(units + 5, [3 * units])

/** Every code path of the two cells. */
const layers: readonly (readonly [string, Layer])[] = [
  ...[false, true].flatMap((coupled) =>
    [false, true].flatMap((sees) =>
      [null, 0.4].map(
        (clip) =>
          [
            `LSTM${coupled ? ', coupled' : ''}${sees ? ', peepholes' : ''}${clip ? ', clip' : ''}`,
            (s: number, f: number, u: number) =>
              randomLstm(s, f, u, {
                coupled,
                ...(sees && { peephole: peephole(u) }),
                ...(clip && { clip }),
              }),
          ] as const,
      ),
    ),
  ),
  ['RNN', randomRnn],
  ['RNN, clip', (s, f, u) => randomRnn(s, f, u, { clip: 0.4 })],
]

describe('the same bits as JavaScript', () => {
  it.each(layers.map(([name, layer], i) => [name, layer, i] as const))(
    '1 to 67 units and features: %s',
    (_, layer, i) => {
      for (const units of sample(upTo(67), 10, i)) {
        // Coprime to 67: every number of features comes once.
        const features = ((units * 29) % 67) + 1
        const model = sequential([layer(units, features, units)])
        expectSameBits(model, randomTensor(units, [2, 5, features]), `${features} to ${units}`)
      }
    },
  )

  it.each(Object.keys(activationTable))(
    'activation %s wherever it can stand, far out too',
    (kind) => {
      for (const scale of [1, 30, 300]) {
        const x = randomTensor(3, [3, 40, 3], scale)
        for (const layer of [
          randomLstm(5, 3, 6, { activation: kind, outputActivation: 'tanh' }),
          randomLstm(6, 3, 6, { recurrentActivation: kind }),
          randomLstm(7, 3, 6, { outputActivation: kind, peephole: peephole(6) }),
          randomRnn(8, 3, 6, { activation: kind }),
        ]) {
          expectSameBits(sequential([layer]), x, `${kind}, ${scale}`)
        }
      }
    },
  )

  it('NaN, infinities, subnormal and large numbers flow alike', () => {
    const specials = [Number.NaN, Infinity, -Infinity, -0, -1e-45, 1e-310, 3e38, -1e308]
    for (const activation of ['tanh', 'linear', 'relu', 'sigmoid', 'hard_sigmoid']) {
      for (const layer of [
        randomLstm(11, 3, 5, { activation }),
        randomLstm(11, 3, 5, { activation, coupled: true, peephole: peephole(5) }),
        randomRnn(11, 3, 5, { activation }),
      ]) {
        for (const special of specials) {
          const data = Float64Array.from(randomTensor(12, [4, 3]).data)
          data[4] = special
          const x = { shape: [4, 3], data }
          expectSameBits(sequential([layer]), x, `${special}, ${activation}`)
        }
      }
    }
  })

  it('batches, chunks and streams', () => {
    const model = sequential([randomLstm(1, 5, 13), randomRnn(2, 13, 11), randomLstm(3, 11, 6)])
    const x = randomTensor(4, [35, 70, 5])
    expectSameBits(model, x, 'batch')
    expectSameStream(model, { shape: [70, 5], data: x.data.subarray(0, 350) })
  })

  it('backwards, both ways, masks and lengths', () => {
    for (const maskedOutput of ['repeat', 'zero', 'state'] as const) {
      const model = sequential([
        bidirectional({
          cell: 'lstm',
          forward: randomArrays(1, 4, 7, 4),
          backward: randomArrays(2, 4, 7, 4),
        }),
        randomLstm(3, 14, 6, { maskedOutput, goBackwards: true, returnSequences: false }),
      ])
      const turned = sequential([
        randomRnn(4, 4, 5, { maskedOutput, goBackwards: true, returnSequences: false }),
      ])
      const x = randomTensor(4, [3, 40, 4])
      const mask = Array.from({ length: 3 }, (_, row) =>
        Array.from({ length: 40 }, (_, t) => ((row + 2) * t) % 7 < 4 && t > row),
      )
      for (const each of [model, turned]) {
        expectSameBits(each, x, maskedOutput)
        for (const masks of [{ mask }, { lengths: [0, 17, 40] }])
          expectSameBits(each, x, maskedOutput, masks)
      }
    }
  })
})

describe('code for any target', () => {
  const model = sequential([
    randomLstm(1, 5, 67, { peephole: peephole(67) }),
    randomLstm(2, 67, 30, { coupled: true, activation: 'mish', recurrentActivation: 'elu' }),
    randomRnn(3, 30, 41),
  ])
  itRunsOnAnyTarget(model, [1, 2, 3, 5], [1, 4])
})

describe('fused', () => {
  it.runIf(hasRelaxedSimd()).each([
    ['LSTM', 3e-7, randomLstm],
    ['RNN', 8e-7, randomRnn],
  ] as const)('%s, 64 units over 1,000 steps: ≤ %f of the reference', (_, bound, layer) => {
    const model = sequential([layer(7, 64, 64)])
    const x = randomTensor(8, [1000, 64])
    const fused = compileSync(model, { engine: 'wasm' }).predict(x)
    expectClose(fused, runReference(model, x).outputs, bound)
  })
})

describe('float64', () => {
  it.each([
    ['GRU', randomGru],
    ['LSTM', randomLstm],
    ['RNN', randomRnn],
  ] as const)('%s, 64 units over 1,000 steps: ≤ 1e-13 of the reference', (_, layer) => {
    const model = sequential([layer(7, 64, 64)])
    const x = randomTensor(8, [1000, 64])
    const results = compileSync(model, { engine: 'wasm', precision: 'f64' }).predict(x)
    expectClose(results, runReference(model, x).outputs, 1e-13)
  })
})
