/** Directions, masks and lengths: engines and reference agree, and keep to the rules of their table. */

import { describe, expect, it } from 'vitest'
import { compileSync, type RunOptions } from '../../src/index.ts'
import { bidirectional, kerasMaskedOutput, type Model, sequential } from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { expectClose } from '../support/engines.ts'
import {
  random,
  randomArrays,
  randomGru,
  randomLstm,
  randomRnn,
  randomTensor,
} from '../support/random.ts'

const [features, units, batch, steps] = [3, 5, 4, 70]
const x = randomTensor(1, [batch, steps, features])
const next = random(2)
const mask = Array.from({ length: batch }, (_, row) =>
  Array.from({ length: steps }, () => (row === 3 ? false : next() > 0.4)),
)
mask[0][0] = false
mask[1][steps - 1] = false
const lengths = [steps, 33, 1, 0]
const initialState = randomTensor(3, [batch, units])

const arrays = (seed: number) => randomArrays(seed, features, units, 3, 1)

const models: Readonly<Record<string, Model>> = Object.fromEntries([
  ...(['repeat', 'zero', 'state'] as const).flatMap((maskedOutput) =>
    [true, false].flatMap((returnSequences) =>
      [true, false].map((goBackwards) => [
        `${goBackwards ? 'backward' : 'forward'}, masked output ${maskedOutput}, ${returnSequences ? 'sequence' : 'last step'}`,
        sequential([randomGru(4, features, units, { maskedOutput, returnSequences, goBackwards })]),
      ]),
    ),
  ),
  ...(['repeat', 'zero', 'state'] as const).flatMap((maskedOutput) =>
    [true, false].flatMap((goBackwards) => {
      const options = { maskedOutput, goBackwards, returnSequences: !goBackwards }
      const way = goBackwards ? 'backward' : 'forward'
      return [
        [
          `LSTM ${way}, masked output ${maskedOutput}`,
          sequential([randomLstm(9, features, units, options)]),
        ],
        [
          `RNN ${way}, masked output ${maskedOutput}`,
          sequential([randomRnn(10, features, units, options)]),
        ],
      ]
    }),
  ),
  [
    'LSTM both ways, then an RNN',
    sequential([
      bidirectional({
        cell: 'lstm',
        forward: randomArrays(11, features, units, 4),
        backward: randomArrays(12, features, units, 4),
      }),
      randomRnn(13, 2 * units, units),
    ]),
  ],
  ...(['concat', 'sum', 'mul', 'ave'] as const).map((merge) => [
    `bidirectional ${merge}`,
    sequential([bidirectional({ forward: arrays(5), backward: arrays(6), merge })]),
  ]),
  ['clip', sequential([randomGru(7, features, units, { clip: 0.3 })])],
  [
    'a stack over both directions',
    sequential([
      bidirectional({ forward: arrays(5), backward: arrays(6) }),
      randomGru(8, 2 * units, units),
    ]),
  ],
])

const runs: Readonly<Record<string, RunOptions>> = {
  whole: {},
  mask: { mask },
  lengths: { lengths },
}

describe('engines and reference agree', () => {
  for (const [name, model] of Object.entries(models)) {
    for (const [how, run] of Object.entries(runs)) {
      it(`${name}, ${how}`, () => {
        const slots = compileSync(model).states.map((state) => state.name)
        const starts =
          model.nodes.length === 1
            ? { initialState: Object.fromEntries(slots.map((slot) => [slot, initialState])) }
            : {}
        const { outputs, states } = runReference(model, x, { ...run, ...starts })
        for (const [precision, bound] of [
          ['f32', 2e-6],
          ['f64', 1e-13],
        ] as const) {
          const options = { ...run, ...starts, outputs: ['y', ...slots] }
          const actual = compileSync(model, { precision }).predict(x, options)
          expectClose(actual, { ...outputs, ...states }, bound)
        }
      })
    }
  }
})

describe('rules', () => {
  const forward = compileSync(sequential([randomGru(4, features, units)]))
  const rowOf = ({ data }: Tensor, row: number, t: number): number[] =>
    Array.from(data.subarray((row * steps + t) * units, (row * steps + t + 1) * units))

  it('masked steps repeat the output before them, and zeros before the first that counts', () => {
    const { y } = forward.predict(x, { mask, initialState })
    expect(rowOf(y, 0, 0)).toEqual(new Array(units).fill(0))
    expect(rowOf(y, 3, steps - 1)).toEqual(new Array(units).fill(0))
    expect(rowOf(y, 1, steps - 1)).toEqual(rowOf(y, 1, mask[1].lastIndexOf(true)))
  })

  it('a sequence with a length is the shorter sequence, with zeros behind it', () => {
    const { y } = forward.predict(x, { lengths })
    const short = forward.predict({
      shape: [33, features],
      data: x.data.slice(steps * features, (steps + 33) * features),
    }).y
    expect(Array.from(y.data.subarray(steps * units, (steps + 33) * units))).toEqual([
      ...short.data,
    ])
    expect(rowOf(y, 1, 33)).toEqual(new Array(units).fill(0))
  })

  it('the last step of a sequence with a length is the last one there is', () => {
    const last = compileSync(
      sequential([randomGru(4, features, units, { returnSequences: false })]),
    )
    const whole = forward.predict(x, { lengths }).y
    expect(Array.from(last.predict(x, { lengths }).y.data.subarray(units, 2 * units))).toEqual(
      rowOf(whole, 1, 32),
    )
  })

  it('backwards gives outputs in the order in which they are computed', () => {
    const backward = compileSync(sequential([randomGru(4, features, units, { goBackwards: true })]))
    const flipped = { shape: [steps, features], data: x.data.slice(0, steps * features) }
    const rows = Array.from({ length: steps }, (_, t) =>
      flipped.data.slice(t * features, (t + 1) * features),
    )
    flipped.data.set(rows.reverse().flatMap((row) => [...row]))
    const one = { shape: [steps, features], data: x.data.slice(0, steps * features) }
    expect(backward.predict(one).y).toEqual(forward.predict(flipped).y)
  })

  it('what reads from the end cannot stream, and says which layer forbids it', () => {
    expect(() => compileSync(models['bidirectional sum']).stream()).toThrow(
      /bidirectional\.backward.*step by step/,
    )
  })

  it('masks and lengths that do not fit are refused', () => {
    expect(() => forward.predict(x, { mask: [[true]] })).toThrow(`[${batch}, ${steps}], got [1, 1]`)
    expect(() => forward.predict(x, { lengths: [1, 2] })).toThrow(
      '4 whole numbers from 0 to 70, got 1, 2',
    )
    expect(() => forward.predict(x, { mask, lengths })).toThrow('not both')
  })
})

describe('Keras, by version', () => {
  it.each([
    ['1.2.2', {}, 'state'],
    ['2.2.4', { bidirectional: { returnSequences: true } }, 'state'],
    ['2.4.0', {}, 'repeat'],
    ['2.15.0', { zeroOutputForMask: true }, 'zero'],
    ['3.3.3', { zeroOutputForMask: true, bidirectional: { returnSequences: false } }, 'repeat'],
    ['3.0', { bidirectional: { returnSequences: true } }, 'zero'],
  ] as const)('%s %o: %s', (version, where, expected) => {
    expect(kerasMaskedOutput({ version, ...where })).toBe(expected)
  })
})
