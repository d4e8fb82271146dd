/**
 * The main test of diagnose: every mistake of the table, and pairs of them, are planted in random
 * models, and the answers are compared with an exhaustive run (`support/planted.ts`).
 *
 * Sampled by seed, with more models in `npm run test:deep sweep`; a larger sweep takes GRUV_PLANTED_SINGLES, GRUV_PLANTED_PAIRS (how many for each
 * model) and GRUV_PLANTED_SEED.
 */

import { describe, expect, it } from 'vitest'
import { hypothesisTable, parseQuirk } from '../../src/diagnose/index.ts'
import { bidirectional, dense, gru, type Model, sequential } from '../../src/model/index.ts'
import { complaints, type Data, Ground, richData } from '../support/planted.ts'
import { random, randomArrays, randomGru, randomTensor } from '../support/random.ts'
import { few } from '../support/sample.ts'

const half = (seed: number, features: number, units: number) =>
  randomArrays(seed, features, units, 3, 1)
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
    dense({ kernel: randomTensor(seed + 501, [3, 3]) }),
  ]),
  'a Bidirectional layer': sequential([
    bidirectional({ forward: half(seed + 600, 2, 3), backward: half(seed + 601, 2, 3) }),
  ]),
}

/** Without an initial state, so that only `initial-state-ignored` has no effect. */
function sequences(model: Model, rows: number, steps: number): Data {
  return { input: richData(model, rows, steps, seed + 700).input }
}

/** Like int8 weights without their scale. */
const small = sequential([
  gru({
    kernel: randomTensor(seed + 900, [3, 12], 1 / 127),
    recurrentKernel: randomTensor(seed + 901, [4, 12], 1 / 127),
    bias: randomTensor(seed + 902, [2, 12], 1 / 127),
  }),
])

/** With rows, steps and a state, and with as little as one step. */
const rich = (name: keyof typeof models) =>
  [
    `${name}, 3 × 8 steps with a state`,
    () => new Ground(models[name], richData(models[name], 3, 8, seed + 800)),
  ] as const
const poor = (name: keyof typeof models) =>
  [
    `${name}, one step from zeros`,
    () => new Ground(models[name], sequences(models[name], 1, 1)),
  ] as const

/** A sample in which every mistake can be made, or all. */
const grounds = [
  ...few(
    [
      rich('as many features as units'),
      poor('a layer and a Dense of its size'),
      rich('a Bidirectional layer'),
    ],
    Object.keys(models).flatMap((name) => [rich(name), poor(name)]),
  ),
  [
    'weights in need of a factor',
    () => new Ground(small, richData(small, 3, 8, seed + 950), 256),
  ] as const,
]

const singlesEach = Number(process.env.GRUV_PLANTED_SINGLES ?? few(1, 3))
const pairsEach = Number(process.env.GRUV_PLANTED_PAIRS ?? few(1, 2))
const MINUTES = 60_000

describe('what is planted in random models is found, with exactly what the data leaves open', () => {
  const planted = new Set<string>()
  const next = random(seed + 1000)
  const sample = <T>(list: readonly T[], count: number): readonly T[] =>
    Array.from(
      { length: Math.min(count, list.length) },
      () => list[Math.floor(next() * list.length)],
    )

  describe.each(grounds)('%s', (_, make) => {
    const ground = make()

    it('nothing', () => expect(complaints(ground, [])).toEqual([]))

    it('mistakes: each at least once, and some again', { timeout: 30 * MINUTES }, () => {
      const news = ground.mistakes.filter((each) => !planted.has(each))
      for (const each of news) planted.add(each)
      const chosen = [...news, ...sample(ground.mistakes, singlesEach)]
      expect(chosen.flatMap((each) => complaints(ground, [each]))).toEqual([])
    })

    it('pairs of mistakes', { timeout: 60 * MINUTES }, () => {
      const pairs = ground.pairs.filter((pair) => ground.tells(pair))
      expect(sample(pairs, pairsEach).flatMap((pair) => complaints(ground, pair))).toEqual([])
    })
  })

  it('every name of the table was planted somewhere', () => {
    const names = [...planted].map((quirk) => parseQuirk(quirk).name)
    // Of these models none is an LSTM; `arrangements.test.ts` has them.
    expect(new Set([...names, 'lstm-gate-order'])).toEqual(new Set(Object.keys(hypothesisTable)))
  })
})
