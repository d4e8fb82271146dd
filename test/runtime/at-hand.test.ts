/** Programs of layers at hand are those that everything would give: a page lacks nothing it needs. */

import { describe, expect, it } from 'vitest'
import { compile } from '../../src/index.ts'
import { dense, type GruOptions, type Model, sequential } from '../../src/model/index.ts'
import { allTools } from '../../src/runtime/all.ts'
import { toolkitFor } from '../../src/runtime/at-hand.ts'
import { plan } from '../../src/runtime/plan.ts'
import { emit } from '../../src/runtime/wasm/emit.ts'
import { bothWays } from '../support/engines.ts'
import { random, randomGru, randomLstm, tensor } from '../support/random.ts'

const options: readonly Partial<GruOptions>[] = (['after', 'before'] as const).flatMap((reset) =>
  (['keeps', 'updates'] as const).flatMap((update) =>
    ['tanh', 'relu', 'linear', 'sigmoid'].map((activation) => ({ reset, update, activation })),
  ),
)

const head = (activation: string): ReturnType<typeof dense> =>
  dense({ kernel: tensor(random(3), [6, 5]), activation })

const models: readonly Model[] = [
  ...options.map((each) => sequential([randomGru(1, 3, 6, each), head('sigmoid')])),
  sequential([randomGru(1, 3, 6, { clip: 2, goBackwards: true, returnSequences: false })]),
  ...['linear', 'softmax', 'tanh', 'relu'].map((kind) =>
    sequential([randomGru(2, 4, 6), head(kind)]),
  ),
]

describe('the toolkit at hand', () => {
  it.each(models.map((model, i) => [i, model] as const))(
    'model %i: the same plan and code',
    async (_, model) => {
      const settings = { precision: 'f32', streams: 2 } as const
      const tools = await toolkitFor(model, settings)
      expect(tools).not.toBe(allTools)
      const planned = plan(model, settings, tools)
      expect(planned).toEqual(plan(model, settings, allTools))
      for (const fused of [true, false]) {
        for (const constants of ['memory', 'code'] as const) {
          const target = { fused, vectors: 4, pairVectors: 2, unroll: 4, constants }
          for (const purpose of ['step', 'block', 'cell', 'all'] as const) {
            expect(emit(planned, target, tools.writing, purpose)).toEqual(
              emit(planned, target, allTools.writing, purpose),
            )
          }
        }
      }
    },
  )

  it.each<[string, Model, 'f32' | 'f64']>([
    ['another layer', sequential([randomLstm(1, 3, 4)]), 'f32'],
    ['a merge', sequential([bothWays(3, 4)]), 'f32'],
    ['another activation', sequential([randomGru(1, 3, 4, { activation: 'gelu' })]), 'f32'],
    [
      'another activation of the gates',
      sequential([randomGru(1, 3, 4, { recurrentActivation: 'hard_sigmoid' })]),
      'f32',
    ],
    ['float64', sequential([randomGru(1, 3, 4)]), 'f64'],
  ])('%s takes everything', async (_, model, precision) => {
    expect(await toolkitFor(model, { precision })).toBe(allTools)
  })

  it('weights of a model of other layers are refused', async () => {
    const program = await compile(sequential([randomGru(1, 3, 4)]))
    expect(() => program.setWeights(sequential([randomLstm(1, 3, 4)]))).toThrow(/another shape/)
  })
})
