/** The numeric contract (docs/numerics.md): one order of operations, whatever way the work is cut. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSync } from '../../src/index.ts'
import { dense, gru, type Model, sequential } from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import {
  expectClose,
  expectSameBits,
  gruVariants,
  nameOf,
  precisions,
  streamed,
} from '../support/engines.ts'
import { random, randomGru, randomTensor, tensor } from '../support/random.ts'

/** Two GRU layers and a head: states, scratch memory and padding all take part. */
function stack(
  seed: number,
  features: number,
  units: number,
  options: Parameters<typeof randomGru>[3] = {},
): Model {
  const next = random(seed + 1)
  return sequential([
    randomGru(seed, features, units, options),
    randomGru(seed + 2, units, units + 3, options),
    dense({
      kernel: tensor(next, [units + 3, 5], 0.4),
      bias: tensor(next, [5]),
      activation: 'softmax',
    }),
  ])
}

describe('step, sequence and batch give the same bits', () => {
  for (const precision of precisions) {
    for (const variant of gruVariants) {
      it(`${precision}, ${nameOf(variant)}`, () => {
        const arbitrary = fc.record({
          seed: fc.nat(),
          features: fc.integer({ min: 1, max: 19 }),
          units: fc.integer({ min: 1, max: 19 }),
          // Around the chunk of 32 steps and the tile of 16 rows.
          steps: fc.integer({ min: 1, max: 70 }),
          batch: fc.integer({ min: 1, max: 35 }),
        })
        fc.assert(
          fc.property(arbitrary, ({ seed, features, units, steps, batch }) => {
            const program = compileSync(stack(seed, features, units, variant), { precision })
            const x = randomTensor(seed + 9, [batch, steps, features])
            const whole = program.predict(x).y
            const last = { shape: [steps, features], data: x.data.slice(-steps * features) }
            const alone = program.predict(last).y
            expect(whole.data.slice(-alone.data.length)).toEqual(alone.data)
            expect(whole.data.length).toBe(batch * alone.data.length)
            expect(streamed(program, last)).toEqual(Array.from(alone.data))
          }),
          { numRuns: 8, seed: 20261124 },
        )
      })
    }
  }
})

describe('the engines against the reference', () => {
  /**
   * float64 engine and reference sum in another order and with other elementary functions: they
   * differ by the rounding of some hundred operations of size 1, each 1.1e-16.
   */
  const bounds = { f32: 2e-6, f64: 1e-13 } as const

  for (const precision of precisions) {
    for (const variant of gruVariants) {
      it(`${precision}, ${nameOf(variant)}: ≤ ${bounds[precision]}`, () => {
        for (const [features, units] of [
          [1, 1],
          [3, 5],
          [7, 4],
          [2, 9],
          [16, 8],
        ]) {
          const model = stack(features * 100 + units, features, units, variant)
          const x = randomTensor(units, [3, 40, features])
          const { y } = runReference(model, x).outputs
          expectClose(compileSync(model, { precision }).predict(x), { y }, bounds[precision])
        }
      })
    }
  }

  it('f32 at 64 units over 1,000 random steps: ≤ 6e-7', () => {
    const model = sequential([randomGru(7, 64, 64)])
    const x = randomTensor(8, [1000, 64])
    expectClose(compileSync(model).predict(x), runReference(model, x).outputs, 6e-7)
  })
})

describe('predict is pure', () => {
  it('carries nothing from call to call, and leaves open streams alone', () => {
    const program = compileSync(stack(3, 4, 6))
    const x = randomTensor(5, [33, 4])
    const first = program.predict(x).y
    const stream = program.stream()
    stream.input.set(x.data.subarray(0, 4))
    stream.step()
    const state = stream.getState()
    expect(program.predict(x).y).toEqual(first)
    expect(stream.getState()).toEqual(state)
  })

  it('a sequence cut in two, with the state handed on, is the sequence', () => {
    const program = compileSync(stack(4, 3, 5))
    const x = randomTensor(6, [50, 3])
    const names = ['y', ...program.states.map(({ name }) => name)]
    const whole = program.predict(x, { outputs: names })
    const head = program.predict({ shape: [20, 3], data: x.data.slice(0, 60) }, { outputs: names })
    const { y: _, ...initialState } = head
    const tail = program.predict(
      { shape: [30, 3], data: x.data.slice(60) },
      { outputs: names, initialState },
    )
    expect([...head.y.data, ...tail.y.data]).toEqual(Array.from(whole.y.data))
    expect(tail['gru.h'].data).toEqual(whole['gru.h'].data)
  })

  it('predictAsync gives the same, also when another run comes between', async () => {
    const program = compileSync(stack(5, 3, 40))
    const x = randomTensor(7, [40, 400, 3])
    const expected = program.predict(x).y
    const shares: number[] = []
    const [one, two] = await Promise.all([
      program.predictAsync(x, { onProgress: (share) => shares.push(share) }),
      program.predictAsync(x),
    ])
    expect(one.y).toEqual(expected)
    expect(two.y).toEqual(expected)
    expect(shares.at(-1)).toBe(1)
    expect([...shares].sort((a, b) => a - b)).toEqual(shares)
  })
})

describe('streams', () => {
  it('have states of their own that can be read, set and reset', () => {
    const program = compileSync(sequential([randomGru(1, 2, 3)]), { streams: 2 })
    const [a, b] = [program.stream(), program.stream()]
    const feed = (stream: typeof a, x: readonly number[]): number[] => {
      stream.input.set(x)
      stream.step()
      return [...stream.output]
    }
    const first = feed(a, [0.5, -0.25])
    const second = feed(a, [0.1, 0.2])
    expect(feed(b, [0.5, -0.25])).toEqual(first)
    const saved = b.getState()
    expect(feed(b, [0.1, 0.2])).toEqual(second)
    b.setState(saved)
    expect(feed(b, [0.1, 0.2])).toEqual(second)
    a.reset()
    expect(feed(a, [0.5, -0.25])).toEqual(first)
  })

  it('are as many as were asked for, and come back when closed', () => {
    const program = compileSync(sequential([randomGru(1, 2, 3)]))
    const stream = program.stream()
    expect(() => program.stream()).toThrow('compile with more')
    stream.close()
    expect(() => stream.step()).toThrow('closed')
    expect([...program.stream().getState()['gru.h']]).toEqual([0, 0, 0])
  })

  it('a state that does not fit is refused whole', () => {
    const stream = compileSync(stack(1, 2, 3)).stream()
    const before = stream.getState()
    expect(() => stream.setState({ 'gru.h': [1, 2, 3], 'gru_1.h': [1] })).toThrow('gru_1.h')
    expect(stream.getState()).toEqual(before)
    expect(() => stream.setState({ 'gru.c': [1] })).toThrow('gru.h')
  })
})

describe('non-finite numbers flow through as in the reference', () => {
  const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-42, 3e38]

  for (const activation of ['tanh', 'linear', 'relu', 'sigmoid']) {
    it(`activation ${activation}`, () => {
      for (const variant of gruVariants) {
        const model = sequential([randomGru(11, 3, 5, { ...variant, activation })])
        for (const special of specials) {
          const x = randomTensor(12, [4, 3])
          x.data[4] = special
          const expected = runReference(model, x).outputs.y.data
          const actual = compileSync(model, { precision: 'f64' }).predict(x).y.data
          const kind = (value: number): string =>
            Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? 'finite' : String(value)
          expect(Array.from(actual, kind), `${special}, ${JSON.stringify(variant)}`).toEqual(
            Array.from(expected, kind),
          )
        }
      }
    })
  }
})

describe('one row of more steps than a tile holds', () => {
  it.each([
    [3, 5],
    [7, 30],
  ])('%i features, %i units', (features, units) => {
    const model = stack(5, features, units)
    const x = randomTensor(6, [1, 1100, features])
    const expected = runReference(model, x).outputs.y.data
    const { y } = compileSync(model, { precision: 'f64', engine: 'wasm' }).predict(x)
    // Probabilities: a rounding of 2⁻⁵³ a step, which such cells forget faster than they add it up.
    y.data.forEach((value, i) => {
      expect(Math.abs(value - expected[i]), `number ${i}`).toBeLessThan(1e-13)
    })
    expectSameBits(model, x, 'one row')
  })
})

describe('weights and plans', () => {
  it('models of one shape share a plan, and setWeights makes one the other', () => {
    const [a, b] = [1, 2].map((seed) => sequential([randomGru(seed, 3, 5)]))
    const x = randomTensor(3, [9, 3])
    const program = compileSync(a)
    expect(program.plan.hash).toBe(compileSync(b).plan.hash)
    program.setWeights(b)
    expect(program.predict(x).y).toEqual(compileSync(b).predict(x).y)
  })

  it('another shape, variant or precision has another hash, and is refused', () => {
    const program = compileSync(sequential([randomGru(1, 3, 5)]))
    const others = [
      sequential([randomGru(1, 4, 5)]),
      sequential([randomGru(1, 3, 5, { update: 'updates' })]),
      sequential([randomGru(1, 3, 5, { activation: 'relu' })]),
    ]
    for (const other of others) expect(() => program.setWeights(other)).toThrow('plan')
    expect(compileSync(others[0], { precision: 'f64' }).plan.hash).not.toBe(
      compileSync(others[0]).plan.hash,
    )
  })

  it('a plan is plain data', () => {
    const { plan } = compileSync(stack(1, 3, 5))
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })
})

describe('inputs and outputs', () => {
  const model = sequential([randomGru(1, 3, 5)])
  const program = compileSync(model)

  it('what has no batch axis gives outputs without one', () => {
    const x = randomTensor(1, [1, 7, 3])
    const flat = program.predict({ shape: [7, 3], data: x.data }).y
    expect(program.predict(x).y.shape).toEqual([1, 7, 5])
    expect(flat.shape).toEqual([7, 5])
    expect(program.predict(x.data).y).toEqual(flat)
    expect(program.predict([0.1, 0.2, 0.3]).y.shape).toEqual([5])
  })

  it('wrong shapes are refused with both sides, and a hint where axes are swapped', () => {
    expect(() => program.predict({ shape: [3, 8], data: new Float32Array(24) })).toThrow(
      /\[batch, time, 3\].*\[3, 8\].*swapped/s,
    )
    expect(() => program.predict([])).toThrow('input x')
    expect(() =>
      program.predict([
        [1, 2, 3],
        [1, 2],
      ]),
    ).toThrow('x[1]')
    expect(() => program.predict({ z: [1, 2, 3] })).toThrow("no input 'z'")
  })

  it('a model whose last step is asked for gives one vector for each row', () => {
    const last = compileSync(sequential([randomGru(1, 3, 5, { returnSequences: false })]))
    const x = randomTensor(1, [2, 40, 3])
    const { y } = last.predict(x)
    expect(y.shape).toEqual([2, 5])
    expect([...y.data.subarray(5)]).toEqual([...program.predict(x).y.data.subarray(-5)])
  })
})

describe('building models', () => {
  it('arrays that do not fit are refused with both shapes', () => {
    const kernel = randomTensor(1, [3, 15])
    const recurrentKernel = randomTensor(1, [5, 15])
    expect(() => gru({ kernel: randomTensor(1, [3, 12]), recurrentKernel })).toThrow(
      '[features, 15]',
    )
    expect(() => gru({ kernel, recurrentKernel: kernel })).toThrow('[units, 3·units]')
    expect(() => gru({ kernel, recurrentKernel, bias: [1, 2] })).toThrow('[2, 15]')
    expect(() => gru({ kernel, recurrentKernel, transposed: true })).toThrow('transposed')
    expect(() => gru({ kernel, recurrentKernel, activation: 'softmax' })).toThrow('elementwise')
    expect(() => gru({ kernel, recurrentKernel, activation: 'tahn' })).toThrow('tanh')
  })
})
