/** WebAssembly without fused operations gives the bits of the JavaScript kernels; fused, it stays close. */

import { describe, expect, it } from 'vitest'
import { compileSync } from '../../../src/index.ts'
import { activation, activationTable, dense, sequential } from '../../../src/model/index.ts'
import { allLayers } from '../../../src/runtime/all-layers.ts'
import { runReference } from '../../../src/runtime/reference/index.ts'
import { emit } from '../../../src/runtime/wasm/emit.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import {
  bothWays,
  encoderDecoder,
  expectClose,
  expectSameBits,
  expectSameStream,
  gruVariants,
  nameOf,
  precisions,
} from '../../support/engines.ts'
import { random, randomGru, randomTensor, tensor } from '../../support/random.ts'
import { sample, upTo } from '../../support/sample.ts'
import { itRunsOnAnyTarget } from './support.ts'

const kinds = Object.keys(activationTable)

describe('the same bits as JavaScript', () => {
  for (const [i, variant] of gruVariants.entries()) {
    it(`1 to 67 units and features: ${nameOf(variant)}`, () => {
      for (const units of sample(upTo(67), 12, i)) {
        // Coprime to 67: every number of features comes once.
        const features = ((units * 29) % 67) + 1
        const next = random(units)
        const model = sequential([
          randomGru(units, features, units, variant),
          dense({ kernel: tensor(next, [units, features]), activation: 'tanh' }),
        ])
        expectSameBits(model, tensor(next, [2, 5, features]), `${features} to ${units}`)
      }
    })
  }

  it.each(kinds)('activation %s, in gates, candidates and Dense, far out too', (kind) => {
    for (const scale of [1, 30, 300]) {
      const next = random(3)
      const gru = randomGru(5, 3, 6, { activation: kind })
      const gates = randomGru(6, 3, 6, { recurrentActivation: kind })
      const head = dense({ kernel: tensor(next, [6, 9]), activation: kind })
      const x = tensor(next, [3, 40, 3], scale)
      for (const layer of [gru, gates]) {
        expectSameBits(sequential([layer, head]), x, `${kind}, ${scale}`)
      }
    }
  })

  it.each(kinds)('activation %s at the corners of float32 and float64', (kind) => {
    const { parameters } = activation(kind)
    const identity = { shape: [1, 1], data: Float32Array.of(1) }
    const names = Object.keys(activationTable[kind as keyof typeof activationTable].parameters)
    const show = names.map((name, i) => `${name}=${parameters[i]}`).join(', ')
    const model = sequential([
      dense({ kernel: identity, activation: show === '' ? kind : `${kind}(${show})` }),
    ])
    const corners = { f32: corners32(), f64: corners64() }
    for (const precision of precisions) {
      const data = corners[precision]
      expectSameBits(model, { shape: [data.length, 1], data }, kind, {}, [precision])
    }
  })

  it('NaN, infinities, subnormal and large numbers flow alike', () => {
    const specials = [Number.NaN, Infinity, -Infinity, -0, -1e-45, 1e-310, 3e38, -1e308]
    for (const variant of gruVariants) {
      for (const act of ['tanh', 'linear', 'relu', 'sigmoid', 'hard_sigmoid']) {
        const model = sequential([
          randomGru(11, 3, 5, { ...variant, activation: act }),
          dense({ kernel: randomTensor(2, [5, 6]), activation: 'softmax' }),
        ])
        for (const special of specials) {
          const data = Float64Array.from(randomTensor(12, [4, 3]).data)
          data[4] = special
          const x = { shape: [4, 3], data }
          expectSameBits(model, x, `${special}, ${act}, ${JSON.stringify(variant)}`)
        }
      }
    }
  })

  it('softmax of 1 to 37 units', () => {
    for (const units of sample(upTo(37), 12)) {
      const next = random(units)
      const head = dense({ kernel: tensor(next, [3, units], 5), activation: 'softmax' })
      expectSameBits(sequential([randomGru(1, 2, 3), head]), tensor(next, [7, 2], 4), `${units}`)
    }
  })

  it('batches, chunks and streams', () => {
    const model = sequential([
      randomGru(1, 5, 13),
      randomGru(2, 13, 13),
      dense({ kernel: randomTensor(3, [13, 3]), activation: 'sigmoid' }),
    ])
    const x = randomTensor(4, [35, 70, 5])
    expectSameBits(model, x, 'batch')
    expectSameStream(model, { shape: [70, 5], data: x.data.subarray(0, 350) })
  })

  it('backwards, both ways, with clip, masks and lengths', () => {
    for (const maskedOutput of ['repeat', 'zero'] as const) {
      const options = { clip: 0.3, maskedOutput }
      const model = sequential([
        bothWays(4, 7, options),
        randomGru(3, 14, 6, { ...options, goBackwards: true }),
        randomGru(4, 6, 5, { ...options, goBackwards: true, returnSequences: false }),
      ])
      const x = randomTensor(4, [3, 40, 4])
      expectSameBits(model, x, maskedOutput)
      const mask = Array.from({ length: 3 }, (_, row) =>
        Array.from({ length: 40 }, (_, t) => ((row + 2) * t) % 7 < 4 && t > row),
      )
      for (const masks of [{ mask }, { lengths: [0, 17, 40] }])
        expectSameBits(model, x, maskedOutput, masks)
    }
  })

  it('a state that comes from the graph', () => {
    const model = encoderDecoder()
    const x = randomTensor(1, [3, 40, 4])
    expectSameBits(model, x, 'encoder and decoder')
  })
})

describe('code for any target', () => {
  const model = sequential([
    randomGru(1, 5, 67),
    randomGru(2, 67, 30, { reset: 'before', activation: 'mish', recurrentActivation: 'elu' }),
    dense({ kernel: randomTensor(3, [30, 41]), activation: 'softmax' }),
  ])
  const plans = itRunsOnAnyTarget(model, [1, 2, 3, 4], [1, 2, 5])

  it('the same plan and target give the same bytes', () => {
    const target = {
      fused: true,
      vectors: 2,
      pairVectors: 2,
      unroll: 4,
      constants: 'memory',
    } as const
    for (const each of plans) {
      for (const purpose of ['step', 'block', 'all'] as const) {
        const [first, second] = [1, 2].map(() => emit(each, target, allLayers, purpose))
        expect(first).toEqual(second)
      }
    }
  })
})

describe('fused', () => {
  it.runIf(hasRelaxedSimd())('64 units over 1,000 steps: ≤ 6e-7 of the reference', () => {
    const model = sequential([randomGru(7, 64, 64)])
    const x = randomTensor(8, [1000, 64])
    const fused = compileSync(model, { engine: 'wasm' }).predict(x)
    expectClose(fused, runReference(model, x).outputs, 6e-7)
  })

  it.runIf(hasRelaxedSimd())('tanh and σ keep their limits, and err by ≤ 2⁻²²', () => {
    // Steps of 2⁻¹⁰ from −32 to 32.
    const x = { shape: [65537, 1], data: new Float32Array(65537).map((_, i) => i / 1024 - 32) }
    const identity = { shape: [1, 1], data: Float32Array.of(1) }
    for (const [kind, low] of [
      ['tanh', -1],
      ['sigmoid', 0],
    ] as const) {
      const program = compileSync(sequential([dense({ kernel: identity, activation: kind })]))
      expect(program.engine.simd).toBe('relaxed')
      const y = Array.from(program.predict(x).y.data)
      const outside = y.filter((value) => value < low || value > 1)
      expect(outside, kind).toEqual([])
      const { value } = activationTable[kind]
      const worst = y.map((each, i) => Math.abs(each - value(x.data[i])))
      expect(worst.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(2 ** -22)
    }
  })
})

/** Both signs of: powers of two and their neighbours, the usual range, what is not a number. */
function corners32(): Float32Array {
  const words = new Uint32Array(2 ** 13)
  for (let i = 0; i < words.length; i++) words[i] = (i * 0x7ffff + 0x80000000 * (i % 2)) >>> 0
  const powers = Array.from({ length: 256 }, (_, i) => [
    i << 23,
    (i << 23) - 1,
    (i << 23) + 1,
  ]).flat()
  const all = [...words, ...powers, ...powers.map((word) => word | 0x80000000)]
  return new Float32Array(Uint32Array.from(all).buffer)
}

function corners64(): Float64Array {
  const next = random(64)
  const high = Array.from({ length: 2 ** 13 }, () => next() * 2 ** 32)
  const anywhere = new Float64Array(Uint32Array.from(high, (word) => word).buffer)
  const near = Array.from({ length: 2 ** 12 }, (_, i) => (2 * next() - 1) * 2 ** (i % 11))
  const limits = [0, 22, 50, 708, 709, 710, 745, 746].flatMap((limit) =>
    Array.from({ length: 9 }, (_, i) => limit + i / 8),
  )
  const powers = Array.from({ length: 2048 }, (_, i) => 2 ** (i - 1023)).flatMap((power) => [
    power,
    power * (1 - 2 ** -53),
    power * (1 + 2 ** -52),
  ])
  const positive = [...limits, ...powers, 2 ** -1074, 2 ** -1073, 1e-310]
  const negative = positive.map((value) => -value)
  return Float64Array.from([...anywhere, ...near, ...positive, ...negative])
}
