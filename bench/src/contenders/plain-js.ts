/**
 * A GRU as a good developer writes it by hand: typed arrays, nothing allocated, rows of weights
 * read in order, and JavaScript numbers (float64) for the sums.
 */

import type { Contender } from '../contender.ts'
import { type Layer, transpose } from '../layer.ts'

export const plainJs: Contender = {
  name: 'plain-js',
  reset: 'after',
  load: async () => {},
  async create(layer, work) {
    const { units, features } = layer
    const { rows, steps, x } = work
    const step = makeStep(layer)
    const y = new Float32Array(rows * steps * units)
    let [h, next] = [new Float32Array(units), new Float32Array(units)]
    let t = 0

    const stream = (calls: number): void => {
      for (let i = 0; i < calls; i++) {
        step(x, t * features, h, next)
        const old = h
        h = next
        next = old
        t = t + 1 === steps ? 0 : t + 1
      }
    }
    const whole = (): void => {
      for (let row = 0; row < rows; row++) {
        h.fill(0)
        for (let s = 0; s < steps; s++) {
          const at = row * steps + s
          step(x, at * features, h, next)
          y.set(next, at * units)
          const old = h
          h = next
          next = old
        }
      }
    }
    return {
      run(calls) {
        if (work.name === 'stream') stream(calls)
        else for (let i = 0; i < calls; i++) whole()
      },
      async outputs() {
        whole()
        return y
      },
    }
  },
}

function makeStep({ units, features, kernel, recurrentKernel, bias }: Layer) {
  const w = transpose(kernel, features, 3 * units)
  const u = transpose(recurrentKernel, units, 3 * units)

  return (x: Float32Array, at: number, h: Float32Array, out: Float32Array): void => {
    for (let i = 0; i < units; i++) {
      let z = bias[i] + bias[3 * units + i]
      let r = bias[units + i] + bias[4 * units + i]
      let xn = bias[2 * units + i]
      let hn = bias[5 * units + i]
      let [zAt, rAt, nAt] = [i * features, (units + i) * features, (2 * units + i) * features]
      for (let f = 0; f < features; f++) {
        const value = x[at + f]
        z += w[zAt + f] * value
        r += w[rAt + f] * value
        xn += w[nAt + f] * value
      }
      zAt = i * units
      rAt = (units + i) * units
      nAt = (2 * units + i) * units
      for (let j = 0; j < units; j++) {
        const value = h[j]
        z += u[zAt + j] * value
        r += u[rAt + j] * value
        hn += u[nAt + j] * value
      }
      z = 1 / (1 + Math.exp(-z))
      r = 1 / (1 + Math.exp(-r))
      const n = Math.tanh(xn + r * hn)
      out[i] = z * h[i] + (1 - z) * n
    }
  }
}
