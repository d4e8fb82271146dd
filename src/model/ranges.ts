/**
 * Between which numbers the values of a graph can lie, as far as its layers say: what tells a unit
 * that cannot move from one that merely does not. Intervals are those of all units together.
 */

import { activationTable } from './activation-table.ts'
import { type Activation, isElementwise } from './activations.ts'
import type { LayerNode } from './types.ts'

export interface Range {
  readonly low: number
  readonly high: number
  /** Whether the layer before says so, or it is what inputs usually are. */
  readonly known: boolean
}

/** Inputs that were scaled to unit variance rarely leave it. */
export const USUAL = 3

const usual: Range = { low: -USUAL, high: USUAL, known: false }
const unit: Range = { low: 0, high: 1, known: true }
const bothWays: Range = { low: -1, high: 1, known: true }

/** Each of these gives more where it gets more, or the same. */
const monotone: readonly string[] = [
  'linear',
  'sigmoid',
  'tanh',
  'relu',
  'leaky_relu',
  'clipped_relu',
  'hard_sigmoid',
  'hard_tanh',
  'elu',
  'selu',
  'softplus',
  'softsign',
  'exponential',
  'log_sigmoid',
]

/** How far an activation moves over an interval of its argument; null where that is not known. */
export function movesBy(act: Activation, low: number, high: number): number | null {
  if (low === high) return 0
  if (!isElementwise(act) || !monotone.includes(act.kind)) return null
  if (act.parameters[0] < 0) return null
  const { value } = activationTable[act.kind]
  return value(high, act.parameters) - value(low, act.parameters)
}

/** What the values of a graph can be, by name; what is not listed can be anything. */
export class Ranges {
  readonly #byValue = new Map<string, Range>()

  of(value: string | undefined): Range {
    return (value === undefined ? undefined : this.#byValue.get(value)) ?? usual
  }

  /** What a node gives: of a recurrent layer, its state as well. */
  givenBy(node: LayerNode): Range {
    return given(node, this) ?? usual
  }

  /** Notes what a node gives. */
  add(node: LayerNode): void {
    const range = this.givenBy(node)
    for (const [port, value] of Object.entries(node.outputs))
      if (port !== 'mask' && port !== 'cell') this.#byValue.set(value, range)
  }
}

function given(node: LayerNode, ranges: Ranges): Range | null {
  switch (node.kind) {
    case 'gru':
    case 'rnn':
      return hull(ofActivation(node.activation), node.inputs.initialState, ranges)
    case 'lstm':
      return hull(ofActivation(node.outputActivation), node.inputs.initialState, ranges)
    case 'dense':
    case 'activation':
    case 'conv1d':
      return ofActivation(node.activation)
    case 'softmax':
      return node.log ? null : unit
    case 'embedding':
      return ofNumbers(node.weights.table.data)
    case 'reverse':
    case 'reshape':
    case 'transpose':
    case 'expand':
    case 'slice':
      return ranges.of(node.inputs.x)
    default:
      return null
  }
}

function ofActivation(act: Activation): Range | null {
  if (act.kind === 'tanh' || act.kind === 'softsign' || act.kind === 'hard_tanh') return bothWays
  if (act.kind === 'sigmoid' || act.kind === 'hard_sigmoid' || act.kind === 'softmax') return unit
  return null
}

/** States begin at 0, or where they are told. */
function hull(own: Range | null, initial: string | undefined, ranges: Ranges): Range | null {
  if (own === null) return null
  const start = initial === undefined ? { low: 0, high: 0, known: true } : ranges.of(initial)
  return {
    low: Math.min(own.low, start.low),
    high: Math.max(own.high, start.high),
    known: start.known,
  }
}

function ofNumbers(data: ArrayLike<number>): Range {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < data.length; i++) {
    low = Math.min(low, data[i])
    high = Math.max(high, data[i])
  }
  return low <= high ? { low, high, known: true } : usual
}
