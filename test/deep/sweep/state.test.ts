/** Ten million steps over a hundred thousand keys, in a process of its own: nothing grows. */

import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

const script = `
import { compileSync } from 'gruv'
import { gru, sequential } from 'gruv/model'

const numbers = (...shape) => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)) })
const model = sequential([gru({ kernel: numbers(6, 48), recurrentKernel: numbers(16, 48), bias: numbers(2, 48) })])
const program = compileSync(model, { deterministic: true })
const stream = program.stream()
const keys = 100_000
const size = program.stateBytes
const states = new Uint8Array(keys * size)
for (let key = 0; key < keys; key++) stream.saveTo(states, key * size)
const run = (steps) => {
  for (let i = 0; i < steps; i++) {
    const at = ((i * 54773) % keys) * size
    stream.loadFrom(states, at)
    stream.input[0] = i % 7
    stream.step()
    stream.saveTo(states, at)
  }
}
const used = () => { gc(); gc(); return process.memoryUsage().heapUsed }
run(200_000)
const before = used()
run(10_000_000)
const grown = used() - before
// Each key has had as many steps as the record says.
const counts = new DataView(states.buffer)
let steps = 0
for (let key = 0; key < keys; key++) steps += Number(counts.getBigUint64(key * size + 16, true))
console.log(JSON.stringify({ grown, steps }))
`

it('a soak of keys leaves the heap where it was, and every step is counted', () => {
  const args = ['--expose-gc', '--input-type=module', '--eval', script]
  const { grown, steps } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  expect(grown).toBeLessThan(1_000_000)
  expect(steps).toBe(10_200_000)
})
