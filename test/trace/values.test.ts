/** Every value of every kind of cell and convention, computed again from the packed arrays. */

import { describe, expect, it } from 'vitest'
import { gru, lstm, type Model, sequential, simpleRnn } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { collect, trace } from '../../src/trace/index.ts'
import { randomArrays, randomTensor } from '../support/random.ts'

const [features, units, steps] = [3, 5, 12]
const x = randomTensor(1, [steps, features])
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
type Arrays = ReturnType<typeof randomArrays>
type Vectors = Readonly<Record<string, readonly number[]>>

/** Σ v·K over the columns of a gate, plus a row of its bias. */
function projection(
  v: ArrayLike<number>,
  { shape: [inputs, width], data }: Tensor,
  gate: number,
  bias: Tensor,
  row: number,
): number[] {
  return Array.from({ length: units }, (_, u) => {
    let sum = bias.data[row * width + gate * units + u]
    for (let i = 0; i < inputs; i++) sum += v[i] * data[i * width + gate * units + u]
    return sum
  })
}

function expectValues(model: Model, step: (x: ArrayLike<number>, states: Vectors) => Vectors) {
  const [values] = Object.values(collect(trace(model, x)))
  const zeros = new Array<number>(units).fill(0)
  let states: Vectors = { h: zeros, c: zeros }
  for (let t = 0; t < steps; t++) {
    const expected = step(x.data.subarray(t * features, (t + 1) * features), states)
    expect(Object.keys(values).sort()).toEqual(Object.keys(expected).sort())
    for (const [name, numbers] of Object.entries(expected)) {
      numbers.forEach((number, u) => {
        const error = Math.abs(values[name].data[t * units + u] - number)
        expect(error, `${name} at t = ${t}, unit ${u}`).toBeLessThanOrEqual(1e-12)
      })
    }
    states = expected
  }
}

describe('GRU', () => {
  const { kernel, recurrentKernel, bias }: Arrays = randomArrays(3, features, units, 3)
  for (const reset of ['after', 'before'] as const) {
    for (const update of ['keeps', 'updates'] as const) {
      for (const biasPlacement of ['separate', 'merged'] as const) {
        it(`reset ${reset}, z ${update}, biases ${biasPlacement}`, () => {
          const options = { kernel, recurrentKernel, bias, reset, update, biasPlacement }
          expectValues(sequential([gru(options)]), (v, { h }) => {
            const [xz, xr, xn] = [0, 1, 2].map((g) => projection(v, kernel, g, bias, 0))
            const [hz, hr] = [0, 1].map((g) => projection(h, recurrentKernel, g, bias, 1))
            const z = xz.map((a, u) => sigmoid(a + hz[u]))
            const r = xr.map((a, u) => sigmoid(a + hr[u]))
            const read = reset === 'after' ? h : h.map((a, u) => r[u] * a)
            const product = projection(read, recurrentKernel, 2, bias, 1)
            const brn = Array.from(bias.data.subarray(5 * units, 6 * units))
            const merged = biasPlacement === 'merged'
            const hn = product.map((a, u) => (merged ? a - brn[u] : a))
            const inside = xn.map((a, u) => (merged ? a + brn[u] : a))
            const n = inside.map((a, u) => Math.tanh(a + (reset === 'after' ? r[u] : 1) * hn[u]))
            const keep = z.map((a) => (update === 'keeps' ? a : 1 - a))
            const next = keep.map((k, u) => k * h[u] + (1 - k) * n[u])
            return { xz, xr, xn: inside, hz, hr, hn, z, r, n, h: next }
          })
        })
      }
    }
  }
})

describe('LSTM', () => {
  const { kernel, recurrentKernel, bias }: Arrays = randomArrays(4, features, units, 4)
  const peephole = randomTensor(5, [3 * units])
  for (const coupled of [false, true]) {
    for (const seeing of [false, true]) {
      it(`coupled: ${coupled}, peepholes: ${seeing}`, () => {
        const options = { kernel, recurrentKernel, bias, coupled, ...(seeing && { peephole }) }
        // In the order of ONNX: input, output, forget.
        const [pi, po, pf] = [0, 1, 2].map((k) =>
          Array.from({ length: units }, (_, u) => (seeing ? peephole.data[k * units + u] : 0)),
        )
        expectValues(sequential([lstm(options)]), (v, { h, c }) => {
          const [xi, xf, xg, xo] = [0, 1, 2, 3].map((g) => projection(v, kernel, g, bias, 0))
          const [hi, hf, hg, ho] = [0, 1, 2, 3].map((g) =>
            projection(h, recurrentKernel, g, bias, 1),
          )
          const i = xi.map((a, u) => sigmoid(a + hi[u] + pi[u] * c[u]))
          const f = xf.map((a, u) => (coupled ? 1 - i[u] : sigmoid(a + hf[u] + pf[u] * c[u])))
          const g = xg.map((a, u) => Math.tanh(a + hg[u]))
          const next = f.map((a, u) => a * c[u] + i[u] * g[u])
          const o = xo.map((a, u) => sigmoid(a + ho[u] + po[u] * next[u]))
          const out = o.map((a, u) => a * Math.tanh(next[u]))
          return { xi, xf, xg, xo, hi, hf, hg, ho, i, f, g, o, c: next, h: out }
        })
      })
    }
  }
})

it('simple RNN', () => {
  const { kernel, recurrentKernel, bias }: Arrays = randomArrays(6, features, units, 1)
  expectValues(sequential([simpleRnn({ kernel, recurrentKernel, bias })]), (v, { h }) => {
    const xh = projection(v, kernel, 0, bias, 0)
    const hh = projection(h, recurrentKernel, 0, bias, 1)
    return { xh, hh, h: xh.map((a, u) => Math.tanh(a + hh[u])) }
  })
})
