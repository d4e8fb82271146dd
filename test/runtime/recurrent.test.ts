/** LSTM and simple RNN keep the contract that the GRU keeps (contract.test.ts, graphs.test.ts). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSync } from '../../src/index.ts'
import { activation } from '../../src/model/activation/activations.ts'
import type { ChainLink } from '../../src/model/chain.ts'
import { createModel } from '../../src/model/graph.ts'
import { lstm, type Model, sequential, simpleRnn } from '../../src/model/index.ts'
import type { LayerNode, Port } from '../../src/model/types.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { bits, both, expectClose, expectEqual, precisions, streamed } from '../support/engines.ts'
import { randomArrays, randomGru, randomLstm, randomRnn, randomTensor } from '../support/random.ts'

type Layer = (seed: number, features: number, units: number) => ChainLink

const peephole = (units: number): Tensor => randomTensor(units + 5, [3 * units])

const layers: Readonly<Record<string, Layer>> = {
  LSTM: randomLstm,
  'LSTM with coupled gates': (s, f, u) => randomLstm(s, f, u, { coupled: true }),
  'LSTM with peepholes': (s, f, u) => randomLstm(s, f, u, { peephole: peephole(u) }),
  'LSTM with all of it': (s, f, u) =>
    randomLstm(s, f, u, {
      coupled: true,
      peephole: peephole(u),
      clip: 0.4,
      recurrentActivation: 'hard_sigmoid',
      outputActivation: 'softsign',
    }),
  RNN: randomRnn,
  'RNN with relu and clip': (s, f, u) => randomRnn(s, f, u, { activation: 'relu', clip: 0.5 }),
}

const stack = (layer: Layer, seed: number, features: number, units: number): Model =>
  sequential([layer(seed, features, units), layer(seed + 1, units, units + 3)])

const cases = Object.entries(layers).flatMap(([name, layer]) =>
  precisions.map((precision) => ({ name, layer, precision })),
)

describe('step, sequence and batch give the same bits', () => {
  it.each(cases)('$name, $precision', ({ layer, precision }) => {
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
        const program = compileSync(stack(layer, seed, features, units), { precision })
        const x = randomTensor(seed + 9, [batch, steps, features])
        const whole = program.predict(x).y
        const size = steps * features
        const last = { shape: [steps, features], data: x.data.slice(-size) }
        const alone = program.predict(last).y
        expect(whole.data.slice(-alone.data.length)).toEqual(alone.data)
        expect(streamed(program, last)).toEqual(Array.from(alone.data))
      }),
      { numRuns: 8, seed: 20261124 },
    )
  })
})

describe('the engines against the reference', () => {
  /** As for the GRU: the rounding of some hundred operations of size 1. */
  const bounds = { f32: 2e-6, f64: 1e-13 } as const
  it.each(cases)('$name, $precision', ({ layer, precision }) => {
    for (const [features, units] of [
      [1, 1],
      [3, 5],
      [7, 4],
      [2, 9],
      [16, 8],
    ]) {
      const model = stack(layer, features * 100 + units, features, units)
      const x = randomTensor(units, [3, 40, features])
      const program = compileSync(model, { precision })
      const names = [...program.outputs, ...program.states].map(({ name }) => name)
      const { outputs, states } = runReference(model, x)
      const actual = program.predict(x, { outputs: names })
      expectClose(actual, { ...outputs, ...states }, bounds[precision])
    }
  })

  it.each([
    ['LSTM', 3e-7, randomLstm],
    ['RNN', 8e-7, randomRnn],
  ] as const)('%s, f32 at 64 units over 1,000 random steps: ≤ %f', (_, bound, layer) => {
    const model = sequential([layer(7, 64, 64)])
    const x = randomTensor(8, [1000, 64])
    expectClose(compileSync(model).predict(x), runReference(model, x).outputs, bound)
  })
})

describe('states', () => {
  it('an LSTM has two, and a sequence cut in two hands on both', () => {
    const program = compileSync(stack(randomLstm, 4, 3, 5))
    expect(program.states.map(({ name }) => name)).toEqual([
      'lstm.h',
      'lstm.c',
      'lstm_1.h',
      'lstm_1.c',
    ])
    const x = randomTensor(6, [50, 3])
    const outputs = ['y', ...program.states.map(({ name }) => name)]
    const whole = program.predict(x, { outputs })
    const head = program.predict({ shape: [20, 3], data: x.data.slice(0, 60) }, { outputs })
    const { y: _, ...initialState } = head
    const rest = { shape: [30, 3], data: x.data.slice(60) }
    const tail = program.predict(rest, { outputs, initialState })
    expect([...head.y.data, ...tail.y.data]).toEqual(Array.from(whole.y.data))
    expect(tail['lstm_1.c'].data).toEqual(whole['lstm_1.c'].data)
    const forgotten = { ...initialState, 'lstm.c': new Float32Array(5) }
    const other = program.predict(rest, { outputs, initialState: forgotten })
    expect(other.y.data).not.toEqual(tail.y.data)
  })

  it('of a stream can be read, set and reset', () => {
    const stream = compileSync(sequential([randomLstm(1, 2, 3)])).stream()
    const feed = (x: readonly number[]): number[] => {
      stream.input.set(x)
      stream.step()
      return [...stream.output]
    }
    const first = feed([0.5, -0.25])
    const saved = stream.getState()
    const second = feed([0.1, 0.2])
    stream.setState(saved)
    expect(feed([0.1, 0.2])).toEqual(second)
    stream.setState({ 'lstm.h': saved['lstm.h'] })
    expect(feed([0.1, 0.2])).not.toEqual(second)
    stream.reset()
    expect(feed([0.5, -0.25])).toEqual(first)
  })
})

describe('ports', () => {
  const [features, units, batch, steps] = [3, 5, 19, 70]
  const x = randomTensor(1, [batch, steps, features])
  const initialState = randomTensor(2, [batch, units])
  const initialCell = randomTensor(3, [batch, units])
  const mask: Tensor = {
    shape: [batch, steps],
    data: Float32Array.from({ length: batch * steps }, (_, i) => Number(i % 7 > 2)),
  }
  const lengths: Tensor = {
    shape: [batch],
    data: Float32Array.from({ length: batch }, (_, row) => (row * 29) % (steps + 1)),
  }
  const shapes: Readonly<Record<string, Port['shape']>> = {
    x: ['batch', 'time', features],
    initialState: ['batch', units],
    initialCell: ['batch', units],
    mask: ['batch', 'time'],
    lengths: ['batch'],
  }

  /** One layer with these input ports, and all of its output ports. */
  function oneLayer(layer: ChainLink, ports: readonly string[], change: object = {}): Model {
    const [node] = sequential([layer]).nodes
    const outputs = ['sequence', 'last', 'state', ...(node.kind === 'lstm' ? ['cell'] : [])]
    const named = (names: readonly string[]): Named<string> =>
      Object.fromEntries(names.map((name) => [name, name]))
    return createModel({
      name: 'test',
      source: 'test',
      inputs: ports.map((name) => ({ name, shape: shapes[name] })),
      outputs: outputs.map((name) => ({ name, value: name })),
      nodes: [{ ...node, ...change, inputs: named(ports), outputs: named(outputs) } as LayerNode],
    })
  }

  const kinds: readonly (readonly [string, ChainLink, readonly string[]])[] = [
    ['GRU', randomGru(4, features, units), ['gru.h']],
    ['LSTM', randomLstm(4, features, units), ['lstm.h', 'lstm.c']],
    ['RNN', randomRnn(4, features, units), ['simple_rnn.h']],
  ]

  for (const [name, layer, slots] of kinds) {
    for (const direction of ['forward', 'backward'] as const) {
      it(`${name} ${direction}: a state that comes by port is the one that a run is given`, () => {
        const given = { initialState, ...(slots.length > 1 && { initialCell }) }
        const model = oneLayer(layer, ['x', ...Object.keys(given)], { direction })
        const plain = oneLayer(layer, ['x'], { direction })
        const states = Object.fromEntries(
          Object.values(given).map((state, i) => [slots[i], state] as const),
        )
        const expected = runReference(plain, x, { initialState: states }).outputs
        expect(runReference(model, { x, ...given }).outputs).toEqual(expected)
        const f64 = compileSync(model, { precision: 'f64' }).predict({ x, ...given })
        expectClose(f64, expected, 1e-13)
        const [js, wasm] = both(model)
        expectEqual(wasm.predict({ x, ...given }), js.predict({ x, ...given }))
        expectClose(js.predict({ x, ...given }), expected, 2e-6)
      })

      it.each(['repeat', 'zero', 'state'] as const)(
        `${name} ${direction}: mask and lengths by port, masked output %s`,
        (maskedOutput) => {
          const change = { maskedOutput, direction }
          const plain = oneLayer(layer, ['x'], change)
          for (const [port, own, run] of [
            ['mask', mask, { mask }],
            ['lengths', lengths, { lengths: Array.from(lengths.data) }],
          ] as const) {
            const model = oneLayer(layer, ['x', port], change)
            const inputs = { x, [port]: own }
            const expected = runReference(plain, x, run).outputs
            expect(runReference(model, inputs).outputs).toEqual(expected)
            expectClose(compileSync(model, { precision: 'f64' }).predict(inputs), expected, 1e-13)
            for (const [i, program] of both(model).entries())
              expectEqual(program.predict(inputs), both(plain)[i].predict(x, run))
          }
        },
      )
    }
  }

  it.each(kinds)('%s streams under a mask', (_, layer) => {
    for (const program of both(oneLayer(layer, ['x', 'mask']))) {
      const { sequence } = program.predict({ x, mask })
      const stream = program.stream()
      for (let t = 0; t < steps; t++) {
        stream.inputs.x.set(x.data.subarray(t * features, (t + 1) * features))
        stream.inputs.mask[0] = mask.data[t]
        stream.step()
        const expected = sequence.data.subarray(t * units, (t + 1) * units)
        expect(bits({ data: stream.outputs.sequence })).toEqual(bits({ data: expected }))
      }
    }
  })

  it.each(kinds)('%s gives out its states at every step of a stream', (_, layer, slots) => {
    for (const program of both(oneLayer(layer, ['x']))) {
      const stream = program.stream()
      for (let t = 0; t < 3; t++) {
        stream.input.set(x.data.subarray(t * features, (t + 1) * features))
        stream.step()
        const { sequence, last, state, cell } = stream.outputs
        const states = stream.getState()
        for (const each of [sequence, last, state]) expect(each).toEqual(states[slots[0]])
        if (slots.length > 1) expect(cell).toEqual(states[slots[1]])
      }
    }
  })

  it.each(kinds)('%s: a stream starts from the states that inputs say', (_, layer, slots) => {
    const given = { initialState, ...(slots.length > 1 && { initialCell }) }
    const model = oneLayer(layer, ['x', ...Object.keys(given)])
    for (const program of both(model)) {
      const { sequence } = program.predict({ x, ...given })
      const stream = program.stream()
      const run = (): void => {
        for (const [name, { data }] of Object.entries(given))
          stream.inputs[name].set(data.subarray(0, units))
        for (let t = 0; t < 3; t++) {
          stream.inputs.x.set(x.data.subarray(t * features, (t + 1) * features))
          stream.step()
          // Only the first step looks at them.
          for (const name of Object.keys(given)) stream.inputs[name].fill(9)
          const expected = sequence.data.subarray(t * units, (t + 1) * units)
          expect(bits({ data: stream.outputs.sequence })).toEqual(bits({ data: expected }))
        }
      }
      run()
      stream.reset()
      run()
      stream.reset()
      // Refused whole: nothing has begun.
      expect(() => stream.setState({ [slots[0]]: [1] })).toThrow('does not fit')
      run()
      stream.reset()
      stream.setState({ [slots[0]]: initialState.data.subarray(0, units) })
      expect(stream.getState()[slots[0]]).toEqual(
        program.plan.precision === 'f32'
          ? Float32Array.from(initialState.data.subarray(0, units))
          : Float64Array.from(initialState.data.subarray(0, units)),
      )
      // What is not named begins as the inputs say.
      if (slots.length > 1) expect(stream.getState()[slots[1]]).toEqual(stream.inputs.initialCell)
      stream.close()
      expect(() => stream.step()).toThrow('closed')
    }
  })

  it('what starts from a state that another layer computes cannot stream', () => {
    const model = oneLayer(randomLstm(4, features, units), ['x', 'initialCell'])
    const cell = { kind: 'activation', activation: activation('tanh'), name: 'before' } as const
    const before = {
      ...cell,
      conventions: [],
      inputs: { x: 'given' },
      outputs: { y: 'initialCell' },
    }
    const longer = createModel({
      ...model,
      inputs: [model.inputs[0], { name: 'given', shape: ['batch', units] }],
      nodes: [before as LayerNode, ...model.nodes],
    })
    expect(() => compileSync(longer).stream()).toThrow(/lstm: .*another layer computes/)
  })
})

describe('weights', () => {
  it('setWeights leaves nothing of what was there, biases included', () => {
    for (const [build, layer, gates] of [
      [lstm, randomLstm, 4],
      [simpleRnn, randomRnn, 1],
    ] as const) {
      const { bias: _, ...bare } = randomArrays(1, 3, 5, gates)
      const zeros = { shape: [5 * gates], data: new Float32Array(5 * gates) }
      const program = compileSync(sequential([layer(2, 3, 5)]))
      const x = randomTensor(3, [9, 3])
      program.setWeights(sequential([build(bare)]))
      const expected = compileSync(sequential([build({ ...bare, bias: zeros })])).predict(x).y
      expect(program.predict(x).y).toEqual(expected)
    }
  })

  it.each([
    ['coupled gates', { coupled: true }],
    ['peepholes', { peephole: peephole(5) }],
    ['another output activation', { outputActivation: 'relu' }],
    ['clip', { clip: 1 }],
  ])('%s make another plan', (_, options) => {
    const program = compileSync(sequential([randomLstm(1, 3, 5)]))
    expect(() => program.setWeights(sequential([randomLstm(1, 3, 5, options)]))).toThrow('plan')
  })
})

describe('non-finite numbers flow through as in the reference', () => {
  const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-42, 3e38]
  const kind = (value: number): string =>
    Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? 'finite' : String(value)

  for (const activation of ['tanh', 'linear', 'relu', 'sigmoid']) {
    it(`activation ${activation}`, () => {
      for (const layer of [
        randomLstm(11, 3, 5, { activation }),
        randomLstm(11, 3, 5, { activation, coupled: true }),
        randomRnn(11, 3, 5, { activation }),
      ]) {
        const model = sequential([layer])
        for (const special of specials) {
          const x = randomTensor(12, [4, 3])
          x.data[4] = special
          const expected = runReference(model, x).outputs.y.data
          const actual = compileSync(model, { precision: 'f64' }).predict(x).y.data
          expect(Array.from(actual, kind), `${special}`).toEqual(Array.from(expected, kind))
        }
      }
    })
  }
})
