/** A step allocates nothing: counted in a process of its own, where the garbage collector can be called. */

import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** Enough that one object of 16 bytes a step would be seen, after enough for V8 to optimise. */
const STEPS = 100_000

const script = `
import { compileSync } from 'gruv'
import { dense, gru, lstm, sequential, simpleRnn } from 'gruv/model'

const numbers = (...shape) => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)) })
const layers = (activation) => [
  gru({ kernel: numbers(3, 24), recurrentKernel: numbers(8, 24), bias: numbers(2, 24), activation }),
  lstm({ kernel: numbers(8, 24), recurrentKernel: numbers(6, 24), bias: numbers(24), peephole: numbers(18), activation }),
  simpleRnn({ kernel: numbers(6, 8), recurrentKernel: numbers(8, 8), bias: numbers(8), activation: 'tanh' }),
  dense({ kernel: numbers(8, 4), activation: 'sigmoid' }),
]
const grown = {}
const variants = ['wasm', 'js'].flatMap((engine) => ['f32', 'f64'].map((precision) => ({ engine, precision })))
for (const activation of ['tanh', 'relu']) for (const options of variants) {
  const stream = compileSync(sequential(layers(activation)), options).stream()
  const run = (steps) => { for (let i = 0; i < steps; i++) { stream.input[0] = i % 7; stream.step() } }
  run(100_000)
  const measured = [1, 2, 3].map(() => {
    gc()
    const before = process.memoryUsage().heapUsed
    run(${STEPS})
    // Before a collection: garbage counts as well.
    return process.memoryUsage().heapUsed - before
  })
  // V8 optimises when it finds the time; a step that allocates does so every time.
  grown[activation + ' ' + JSON.stringify(options)] = Math.min(...measured)
}
console.log(JSON.stringify(grown))
`

describe('streams', () => {
  it('a step allocates nothing, garbage included', () => {
    const args = ['--expose-gc', '--input-type=module', '--eval', script]
    const grown = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Record<
      string,
      number
    >
    for (const [variant, bytes] of Object.entries(grown)) {
      // The measuring itself, and V8's own housekeeping, take some kilobytes.
      expect(bytes / STEPS, variant).toBeLessThan(1)
    }
  }, 60_000)
})
