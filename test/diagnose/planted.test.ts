/**
 * The main test of diagnose: every mistake of the table, and pairs of them, planted in random
 * models; the answers are held against what running everything says (`support/planted.ts`).
 *
 * Pairs are sampled by seed. A larger sweep: GRUV_PLANTED_PAIRS=200 npx vitest run planted.
 */

import { describe, expect, it } from 'vitest'
import {
  bidirectional,
  dense,
  type GruOptions,
  type Model,
  sequential,
} from '../../src/model/index.ts'
import { complaints, type Data, Ground, richData } from '../support/planted.ts'
import { random, randomGru, tensor } from '../support/random.ts'

function half(seed: number, features: number, units: number): GruOptions {
  const next = random(seed)
  return {
    kernel: tensor(next, [features, 3 * units]),
    recurrentKernel: tensor(next, [units, 3 * units]),
    bias: tensor(next, [2, 3 * units]),
  }
}

const seed = Number(process.env.GRUV_PLANTED_SEED ?? 1)

const models: Readonly<Record<string, Model>> = {
  'a Keras layer': sequential([randomGru(seed + 100, 3, 4)]),
  'relu and hard_sigmoid, reset before': sequential([
    randomGru(seed + 200, 2, 5, {
      activation: 'relu',
      recurrentActivation: 'hard_sigmoid',
      reset: 'before',
    }),
  ]),
  'softsign, z updates, bias merged, last step': sequential([
    randomGru(seed + 300, 4, 3, {
      activation: 'softsign',
      update: 'updates',
      biasPlacement: 'merged',
      returnSequences: false,
    }),
  ]),
  'as many features as units': sequential([randomGru(seed + 400, 3, 3)]),
  'a layer and a Dense of its size': sequential([
    randomGru(seed + 500, 2, 3),
    dense({ kernel: tensor(random(seed + 501), [3, 3]) }),
  ]),
  'a Bidirectional layer': sequential([
    bidirectional({ forward: half(seed + 600, 2, 3), backward: half(seed + 601, 2, 3) }),
  ]),
}

/** Without a state, so that only `initial-state-ignored` cannot be had. */
function sequences(model: Model, rows: number, steps: number): Data {
  return { input: richData(model, rows, steps, seed + 700).input }
}

const grounds: readonly (readonly [string, Ground])[] = Object.entries(models).flatMap(
  ([name, model]) => [
    [`${name}, 3 × 8 steps with a state`, new Ground(model, richData(model, 3, 8, seed + 800))],
    [`${name}, one step from zeros`, new Ground(model, sequences(model, 1, 1))],
  ],
)

const pairsEach = Number(process.env.GRUV_PLANTED_PAIRS ?? 4)

describe('what is planted in random models is found, with exactly what the data leaves open', () => {
  describe.each(grounds)('%s', (_, ground) => {
    it('nothing planted', () => expect(complaints(ground, [])).toEqual([]))

    it('each mistake', { timeout: 600_000 }, () => {
      expect(ground.mistakes.length).toBeGreaterThan(50)
      expect(ground.mistakes.flatMap((each) => complaints(ground, [each]))).toEqual([])
    })

    it(`${pairsEach} pairs of mistakes`, { timeout: 3_600_000 }, () => {
      const next = random(seed)
      const pairs = ground.pairs.filter((pair) => ground.tells(pair))
      const planted = Array.from(
        { length: pairsEach },
        () => pairs[Math.floor(next() * pairs.length)],
      )
      expect(planted.flatMap((reading) => complaints(ground, reading))).toEqual([])
    })
  })
})
