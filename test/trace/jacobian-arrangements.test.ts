/**
 * Jacobians of every kind of cell in every arrangement, with and without masked steps, against
 * central differences: backward, bidirectional, stacked, and behind masking layers.
 */

import { describe, expect, it } from 'vitest'
import { createModel } from '../../src/model/graph.ts'
import {
  bidirectional,
  dense,
  isRecurrent,
  type LayerNode,
  type Model,
  sequential,
} from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { stateJacobian } from '../../src/trace/index.ts'
import { expectDifferences } from '../support/differences.ts'
import {
  random,
  randomArrays,
  randomGru,
  randomLstm,
  randomRnn,
  randomTensor,
} from '../support/random.ts'

const [rows, steps, features, units] = [2, 6, 3, 4]
const values = randomTensor(1, [rows, steps, features]).data
const x: Tensor = { shape: [rows, steps, features], data: Float64Array.from(values) }

const cells = {
  gru: { gates: 3, make: randomGru },
  lstm: { gates: 4, make: randomLstm },
  rnn: { gates: 1, make: randomRnn },
} as const
type Cell = keyof typeof cells
const kinds = Object.keys(cells) as Cell[]

function both(cell: Cell, inputs: number, options: object = {}) {
  const half = (seed: number) => ({
    ...randomArrays(seed, inputs, units, cells[cell].gates),
    ...options,
  })
  // The union of options follows the cell; TypeScript cannot follow an index.
  return bidirectional({
    cell,
    name: 'both',
    forward: half(3),
    backward: half(4),
  } as Parameters<typeof bidirectional>[0])
}

const head = () => {
  const { kernel } = randomArrays(9, units, 2, 1)
  return dense({ kernel, activation: 'tanh' })
}

const arrangements: Readonly<Record<string, (cell: Cell) => Model>> = {
  backwards: (cell) => sequential([cells[cell].make(2, features, units, { goBackwards: true })]),
  'backwards, the last step': (cell) =>
    sequential([
      cells[cell].make(2, features, units, { goBackwards: true, returnSequences: false }),
      head(),
    ]),
  'both directions': (cell) => sequential([both(cell, features)]),
  'both directions, last steps': (cell) =>
    sequential([both(cell, features, { returnSequences: false })]),
  'a stack of three': (cell) =>
    sequential([
      cells[cell].make(2, features, units),
      both(cell, units),
      cells[cell].make(5, 2 * units, units, { returnSequences: false }),
      head(),
    ]),
  'zeros at masked steps': (cell) =>
    sequential([
      cells[cell].make(2, features, units, { maskedOutput: 'zero' }),
      cells[cell].make(5, units, units, { maskedOutput: 'zero', returnSequences: false }),
    ]),
}

/** Masked at the beginning, in the middle and at the end. */
const mask = [
  [0, 1, 1, 0, 1, 0],
  [1, 0, 0, 1, 1, 1],
]
const runs = {
  'every step': {},
  'a mask': { mask },
  lengths: { lengths: [4, 6] },
} as const

describe.each(kinds)('∂y/∂x, %s', (cell) => {
  describe.each(Object.entries(arrangements))('%s', (_, arrange) => {
    it.each(Object.entries(runs))('%s', (__, run) => {
      const model = arrange(cell)
      for (const row of [0, 1]) expectDifferences(x, model, row, {}, run)
    })
  })

  it('at a masked step the output of a layer that repeats is that of the step before', () => {
    const model = sequential([cells[cell].make(2, features, units)])
    const { data } = expectDifferences(x, model, 1, { at: 2 }, { mask })
    // Steps 1 and 2 are masked: only step 0 counts so far.
    const perUnit = steps * features
    data.forEach((each, i) => {
      expect(each !== 0).toBe(i % perUnit < features)
    })
  })

  it('behind a layer that masks', () => {
    const data = x.data.slice()
    data.fill(-1, features, 3 * features)
    const counts = (j: number): boolean => j < features || j >= 3 * features
    // Moving a number of a masked step would unmask it: a jump, beside a derivative of 0.
    const input = { shape: x.shape, data }
    const jacobian = expectDifferences(input, masking(cell), 0, { at: 4 }, {}, counts)
    const perUnit = steps * features
    jacobian.data.forEach((each, i) => {
      const t = Math.floor((i % perUnit) / features)
      const sees = Math.floor(i / perUnit) < units ? [0, 3, 4] : [4, 5]
      expect(each !== 0).toBe(sees.includes(t))
    })
  })
})

/** x → masking of steps that are −1 everywhere → both directions */
function masking(cell: Cell): Model {
  const masks: LayerNode = {
    kind: 'masking',
    name: 'masking',
    value: -1,
    inputs: { x: 'x' },
    outputs: { y: 'masking.y', mask: 'masking.mask' },
    conventions: [],
  }
  const layers = both(cell, features)
    .wire('masking.y', 'both')
    .map((node) =>
      isRecurrent(node) ? { ...node, inputs: { ...node.inputs, mask: 'masking.mask' } } : node,
    )
  return createModel({
    name: 'masked',
    source: 'test',
    inputs: [{ name: 'x', shape: ['batch', 'time', features] }],
    outputs: [{ name: 'y', value: 'both.y' }],
    nodes: [masks, ...layers],
  })
}

/** ∂(state after all steps)/∂(initial state) of a layer inside a model, with masked steps. */
describe.each(kinds)('∂h_t/∂h_{t−k}, %s', (cell) => {
  it.each(Object.entries(arrangements))('%s', (_, arrange) => {
    const model = arrange(cell)
    for (const node of model.nodes.filter(isRecurrent)) {
      for (const run of Object.values(runs)) {
        for (const row of [0, 1]) expectStateDifferences(model, node.name, row, run)
      }
    }
  })
})

function expectStateDifferences(model: Model, layer: string, row: number, run: object): void {
  const node = model.nodes.filter(isRecurrent).find(({ name }) => name === layer)!
  const slots = node.kind === 'lstm' ? ['h', 'c'] : ['h']
  const next = random(6)
  const initialState = Object.fromEntries(
    slots.map((slot) => {
      const data = Float64Array.from({ length: rows * units }, () => next() - 0.5)
      return [`${layer}.${slot}`, { shape: [rows, units], data }]
    }),
  )
  const jacobian = stateJacobian(model, x, { layer, back: steps, row, initialState, ...run })
  const step = 1e-5
  const finals = (by: string, j: number, sign: number) => {
    const { shape, data } = initialState[`${layer}.${by}`]
    const moved = data.slice()
    moved[row * units + j] += sign * step
    const state = { ...initialState, [`${layer}.${by}`]: { shape, data: moved } }
    return runReference(model, x, { initialState: state, ...run }).states
  }
  for (const by of slots) {
    for (let j = 0; j < units; j++) {
      const [up, down] = [finals(by, j, 1), finals(by, j, -1)]
      for (const of of slots) {
        const { data } = jacobian[of][by]
        const largest = Math.max(1e-3, ...data.map(Math.abs))
        for (let i = 0; i < units; i++) {
          const [a, b] = [up, down].map((states) => states[`${layer}.${of}`].data[row * units + i])
          const error = Math.abs(data[i * units + j] - (a - b) / (2 * step))
          expect(error / largest).toBeLessThan(1e-6)
        }
      }
    }
  }
}
