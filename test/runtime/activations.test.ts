/** Every activation of the table, in both engines, against its formula in float64. */

import { describe, expect, it } from 'vitest'
import { activation, activationTable, showActivation } from '../../src/model/index.ts'
import { ops32 } from '../../src/runtime/js/ops32.ts'
import { ops64 } from '../../src/runtime/js/ops64.ts'

/** Dense around zero, sparse far out, with the corners that formulas have. */
const points = [
  ...Array.from({ length: 4001 }, (_, i) => (i - 2000) / 200),
  ...[-1e30, -1000, -100, -60, -30, -15, 15, 30, 60, 100, 1000, 1e30],
  ...[-1, 1, 6, 2.5, -2.5, -1e-7, 1e-7, -1e-30, 1e-30, 0, -0],
]
const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/**
 * A composed function is a few operations and a few elementary functions of ≤ 4 ulp: 16 ulp of the
 * result, and absolutely 16 ulp of 1 where a formula subtracts (1 − z, 1 + erf).
 */
const bounds = { f32: 16 * 2 ** -24, f64: 16 * 2 ** -53 } as const

for (const kind of Object.keys(activationTable) as (keyof typeof activationTable)[]) {
  describe(kind, () => {
    const act = activation(kind)
    const value = (a: number): number => activationTable[kind].value(a, act.parameters)

    for (const [precision, ops] of [
      ['f32', ops32],
      ['f64', ops64],
    ] as const) {
      const inputs = [...points, ...specials]
      const size = Math.ceil(inputs.length / 4) * 4
      const memory = precision === 'f32' ? new Float32Array(size) : new Float64Array(size)
      memory.set(inputs)
      const before = memory.slice()
      ops.activate(memory, 0, size, { kind, parameters: act.parameters })

      it(`${precision}: within ${bounds[precision]} of its formula`, () => {
        points.forEach((_, i) => {
          const expected = value(before[i])
          const error = Math.abs(memory[i] - expected)
          // Where float32 overflows, infinity is the right answer.
          if (!Number.isFinite(precision === 'f32' ? Math.fround(expected) : expected)) return
          expect(error, `at ${before[i]}: ${memory[i]}, expected ${expected}`).toBeLessThanOrEqual(
            bounds[precision] * Math.max(1, Math.abs(expected)),
          )
        })
      })

      it(`${precision}: NaN stays NaN, infinities go where the formula goes`, () => {
        const expected = specials.map(value)
        const actual = [...memory.subarray(points.length, inputs.length)]
        expect(actual[0]).toBeNaN()
        actual.slice(1).forEach((each, i) => {
          if (Number.isNaN(expected[i + 1])) expect(each).toBeNaN()
          else expect(each).toBeCloseTo(expected[i + 1], 6)
        })
      })
    }

    it('is read back from what is shown', () => {
      expect(activation(showActivation(act))).toEqual(act)
    })
  })
}

describe('names', () => {
  it('are matched without regard to case and underscores', () => {
    expect(activation('HardSigmoid')).toEqual(activation('hard_sigmoid'))
    expect(activation('swish').kind).toBe('silu')
  })

  it('parameters go where they belong, and wrong ones are refused', () => {
    expect(activation('hard_sigmoid(alpha=0.5)').parameters).toEqual([0.5, 0.5])
    expect(() => activation('hard_sigmoid(gamma=1)')).toThrow('alpha, beta')
    expect(() => activation('elu(alpha)')).toThrow('alpha=0.2')
    expect(() => activation('lambda')).toThrow('one of')
  })
})
