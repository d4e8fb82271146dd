/** `gruv/keyed`: sequences whose state the caller keeps, and states of a model's next version. */

import { describe, expect, it } from 'vitest'
import { compileSync } from '../../src/index.ts'
import { keyed, migrate } from '../../src/keyed/index.ts'
import { bidirectional, dense, sequential } from '../../src/model/index.ts'
import { bits, both } from '../support/engines.ts'
import { randomArrays, randomGru, randomTensor } from '../support/random.ts'

const model = sequential([
  randomGru(1, 3, 5),
  dense({ kernel: randomTensor(2, [5, 2]), bias: randomTensor(3, [2]) }),
])
const program = compileSync(model, { deterministic: true })

describe('apply', () => {
  const { apply, stateBytes } = keyed(program)
  const x = randomTensor(4, [12, 3])
  const rows = (from: number, to: number) => ({
    shape: [to - from, 3],
    data: x.data.slice(3 * from, 3 * to),
  })

  it('gives what one run over the whole sequence gives, however it is cut', () => {
    const whole = program.predict(x).y
    for (const cut of [1, 5, 11]) {
      const first = apply(null, rows(0, cut))
      const rest = apply(first.state, rows(cut, 12))
      expect(first.outputs.y.shape).toEqual([cut, 2])
      expect(rest.state.length).toBe(stateBytes)
      expect([...bits(first.outputs.y), ...bits(rest.outputs.y)]).toEqual(bits(whole))
    }
  })

  it('depends on its arguments alone, and does not change them', () => {
    const { state } = apply(null, rows(0, 4))
    const kept = state.slice()
    const once = apply(state, rows(4, 8))
    apply(null, rows(1, 9))
    expect(apply(state, rows(4, 8))).toEqual(once)
    expect(state).toEqual(kept)
  })

  it('takes a lone vector as one step', () => {
    const { state, outputs } = apply(null, x.data.subarray(0, 3))
    expect(outputs.y.shape).toEqual([2])
    expect(state).toEqual(apply(null, rows(0, 1)).state)
  })

  it('gives the same bytes on both engines', () => {
    const [js, wasm] = both(model).map((each) => keyed(each).apply(null, x))
    expect(js).toEqual(wasm)
  })

  it('refuses what does not fit, and goes on working', () => {
    expect(() => apply(null, { shape: [2, 4, 3], data: new Float32Array(24) })).toThrow(
      /one sequence.*got a batch of 2/,
    )
    expect(() => apply(new Uint8Array(stateBytes), rows(0, 1))).toThrow(/no state of this model/)
    expect(() => apply(null, { shape: [2, 4], data: new Float32Array(8) })).toThrow(/input x/)
    expect(apply(null, rows(0, 1)).outputs.y.data.length).toBe(2)
  })
})

describe('keyed', () => {
  it('wants a deterministic program, unless told otherwise', () => {
    const fused = { ...program, engine: { ...program.engine, deterministic: false } }
    expect(() => keyed(fused)).toThrow(/other bits on other machines.*deterministic: true/s)
    expect(keyed(fused, { deterministic: false }).stateBytes).toBe(program.stateBytes)
  })

  it('wants a model that runs step by step', () => {
    const arrays = randomArrays(1, 2, 3, 3)
    const backward = compileSync(sequential([bidirectional({ forward: arrays, backward: arrays })]))
    expect(() => keyed(backward)).toThrow(/cannot run step by step/)
  })
})

describe('migrate', () => {
  const next = compileSync(
    sequential([randomGru(11, 3, 5), dense({ kernel: randomTensor(2, [5, 2]) })]),
    { deterministic: true },
  )
  const stored = keyed(program).apply(null, randomTensor(4, [7, 3])).state

  it('refuses a state of another version without a converter', () => {
    expect(() => migrate(program, next)(stored)).toThrow(/another model/)
  })

  it('converts by name, and keeps the count of steps', () => {
    const halved = migrate(program, next, (state) => ({
      'gru.h': state['gru.h'].map((each) => each / 2),
    }))(stored)
    const [a, b] = [program.stream(), next.stream()]
    a.loadFrom(stored)
    b.loadFrom(halved)
    expect(Array.from(b.state['gru.h'])).toEqual(Array.from(a.state['gru.h'], (each) => each / 2))
    expect(new DataView(halved.buffer).getBigUint64(16, true)).toBe(7n)
    a.close()
    b.close()
  })

  it('gives a state of the next version back as it is', () => {
    const own = keyed(next).apply(null, randomTensor(5, [2, 3])).state
    const convert = () => {
      throw new Error('not asked for')
    }
    expect(migrate(program, next, convert)(own)).toEqual(own)
    expect(() => migrate(program, next, convert)(new Uint8Array(next.stateBytes))).toThrow(
      /no state of this model/,
    )
  })
})
