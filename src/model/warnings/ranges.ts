/**
 * Ranges of the values in a graph, as far as its layers bound them. They tell a unit that cannot
 * move from one that merely does not. A range covers all units of a value together.
 */

import type { Activation } from '../activation/activations.ts'
import { type ActivationValue, monotoneValues } from '../activation/monotone.ts'
import type { LayerNode, NodeOf } from '../types.ts'

export interface Range {
  readonly low: number
  readonly high: number
  /** Whether a layer guarantees it; otherwise it is the usual range of inputs. */
  readonly known: boolean
}

/** Inputs that were scaled to unit variance rarely leave ±USUAL. */
export const USUAL = 3

const usual: Range = { low: -USUAL, high: USUAL, known: false }
const unit: Range = { low: 0, high: 1, known: true }
const symmetric: Range = { low: -1, high: 1, known: true }

/** How far an activation moves over an interval of its argument; null where that is not known. */
export function movesBy(act: Activation, low: number, high: number): number | null {
  if (low === high) return 0
  const { kind, parameters } = act
  if (parameters[0] < 0) return null
  const values: Partial<Record<Activation['kind'], ActivationValue>> = monotoneValues
  const value = values[kind]
  return value === undefined ? null : value(high, parameters) - value(low, parameters)
}

/** The ranges of a graph's values by name; of other values the usual one. */
export class Ranges {
  readonly #byValue = new Map<string, Range>()

  of(value: string | undefined): Range {
    return (value === undefined ? undefined : this.#byValue.get(value)) ?? usual
  }

  /** The range of a node's outputs; of a recurrent layer, that of its state as well. */
  outputsOf(node: LayerNode): Range {
    return outputRange(node, this) ?? usual
  }

  /** Records the range of a node's outputs. */
  add(node: LayerNode): void {
    const range = this.outputsOf(node)
    for (const [port, value] of Object.entries(node.outputs))
      if (port !== 'mask' && port !== 'cell') this.#byValue.set(value, range)
  }
}

/** The kinds that neither bound their outputs nor have units or gates to saturate. */
export type Unremarkable =
  | 'prelu'
  | 'affine'
  | 'masking'
  | 'merge'
  | 'concat'
  | 'pad'
  | 'gather'
  | 'constant'
  | 'range'
  | 'binary'
  | 'unary'
  | 'where'
  | 'reduce'
  | 'matmul'
  | 'conv'
  | 'convTranspose'
  | 'pool'
  | 'attention'
  | 'multiHeadAttention'

/** The kinds that do not bound their outputs; the compiler asks about a new one. */
type Unbounded = Unremarkable | 'batchNorm' | 'layerNorm'

/** null where a layer does not bound its outputs. */
function outputRange(node: LayerNode, ranges: Ranges): Range | null {
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
      node satisfies NodeOf<Unbounded>
      return null
  }
}

function ofActivation(act: Activation): Range | null {
  if (act.kind === 'tanh' || act.kind === 'softsign' || act.kind === 'hard_tanh') return symmetric
  if (act.kind === 'sigmoid' || act.kind === 'hard_sigmoid' || act.kind === 'softmax') return unit
  return null
}

/** A state begins at 0 or at the initial state given, so its range holds that too. */
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
