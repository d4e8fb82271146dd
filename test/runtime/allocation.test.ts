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
  const program = compileSync(sequential(layers(activation)), options)
  const stream = program.stream()
  const record = new Uint8Array(program.stateBytes)
  stream.saveTo(record)
  const run = (steps) => { for (let i = 0; i < steps; i++) { stream.loadFrom(record); stream.input[0] = i % 7; stream.step(); stream.saveTo(record) } }
  run(100_000)
  // V8 optimises when it finds the time, which on a busy machine takes some rounds; a step that
  // allocates does so every time.
  let least = Infinity
  for (let round = 0; round < 12 && least >= ${STEPS}; round++) {
    gc()
    const before = process.memoryUsage().heapUsed
    run(${STEPS})
    // Before a collection: garbage counts as well.
    least = Math.min(least, process.memoryUsage().heapUsed - before)
  }
  grown[activation + ' ' + JSON.stringify(options)] = least
}
console.log(JSON.stringify(grown))
`

const longScript = `
import { compileSync } from 'gruv'
import { gru, sequential } from 'gruv/model'

const numbers = (...shape) => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)) })
const model = sequential([gru({ kernel: numbers(6, 18), recurrentKernel: numbers(6, 18), bias: numbers(2, 18) })])
const stream = compileSync(model, { engine: 'wasm' }).stream()
const run = (steps) => { for (let i = 0; i < steps; i++) { stream.input[0] = i % 7; stream.step() } }
const used = () => { gc(); gc(); return [process.memoryUsage().heapUsed, stream.input.buffer.byteLength] }
run(100_000)
const before = used()
run(10_000_000)
const after = used()
console.log(JSON.stringify({ heap: after[0] - before[0], wasm: after[1] - before[1] }))
`

describe('streams', () => {
  it('ten million steps leave the heap and the memory of WebAssembly where they were', () => {
    const args = ['--expose-gc', '--input-type=module', '--eval', longScript]
    const grown = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    expect(grown.wasm).toBe(0)
    // A byte a step would be ten million. What V8 keeps of its own stays below a hundredth of it.
    expect(grown.heap).toBeLessThan(100_000)
  }, 60_000)

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
