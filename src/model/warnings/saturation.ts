/** Finds dead units and saturated gates: those that stay constant whatever the input is. */

import type { Tensor } from '../../tensor.ts'
import type { Activation } from '../activation/activations.ts'
import type {
  CellWeights,
  DenseNode,
  GruNode,
  LayerNode,
  LstmNode,
  NodeOf,
  RecurrentNode,
} from '../types.ts'
import { movesBy, type Range, Ranges, type Unremarkable } from './ranges.ts'
import type { TrainedNode } from './weights.ts'

/** A gate or a unit that moves by less than this counts as constant. */
export const CONSTANT = 1e-3

/** Units of a layer that stay constant, by their numbers. */
export interface Saturation {
  readonly node: string
  /** The gate by its letter; null for units whose activation is the layer's output. */
  readonly gate: string | null
  readonly units: readonly number[]
  /** How many units the layer has. */
  readonly of: number
  /** Whether they give the same number, rather than move a little. */
  readonly dead: boolean
  /** Whether for any input, rather than for inputs of the usual size. */
  readonly always: boolean
}

/** What a healthy training rarely leaves behind, once for layers that share their arrays. */
export function findSaturation(nodes: readonly TrainedNode[]): readonly Saturation[] {
  const found: Saturation[] = []
  const seen = new Set<unknown>()
  const ranges = new Ranges()
  for (const { node, arrays } of nodes) {
    const [first] = Object.values(arrays)
    if (first !== undefined && !seen.has(first)) {
      seen.add(first)
      found.push(...saturationOf(node, ranges))
    }
    ranges.add(node)
  }
  return found.filter(({ units }) => units.length > 0)
}

/** The kinds that have no units or gates to saturate; the compiler asks about a new one. */
type Unexamined =
  | Unremarkable
  | 'activation'
  | 'embedding'
  | 'softmax'
  | ('reverse' | 'reshape' | 'transpose' | 'expand' | 'slice')

function saturationOf(node: LayerNode, ranges: Ranges): readonly Saturation[] {
  switch (node.kind) {
    case 'gru':
      return gateSaturation(node, node.weights, ['z', 'r'], ranges)
    case 'lstm':
      return gateSaturation(node, node.weights, lstmGates(node), ranges)
    case 'rnn':
      return unitSaturation(node, cellSums(node, ranges, node.weights), ranges.of(node.inputs.x))
    case 'dense':
    case 'conv1d': {
      const { kernel, bias } = node.weights
      const x = ranges.of(node.inputs.x)
      return unitSaturation(node, { parts: [{ kernel, range: x }], biases: [bias] }, x)
    }
    case 'batchNorm':
    case 'layerNorm': {
      const gamma = node.weights.gamma?.data ?? []
      const units = Array.from(gamma, (_, u) => u).filter((u) => gamma[u] === 0)
      return [{ node: node.name, gate: null, units, of: gamma.length, dead: true, always: true }]
    }
    default:
      node satisfies NodeOf<Unexamined>
      return []
  }
}

/** What the pre-activations of a layer are summed from. */
interface Sums {
  /** Kernels [inputs, units] and the range of what they multiply. */
  readonly parts: readonly { readonly kernel: Tensor; readonly range: Range }[]
  /** Of each unit; null where there is none. */
  readonly biases: readonly (Tensor | null)[]
}

/** The least and the greatest pre-activation of a unit, over all inputs in their ranges. */
interface Bounds {
  readonly unit: number
  readonly low: number
  readonly high: number
}

/** The units that move by less than CONSTANT, with their bounds. */
function constantUnits(activation: Activation, sums: Sums): readonly Bounds[] {
  const units = sums.parts[0].kernel.shape.at(-1) ?? 0
  // Where inputs may be 0, each row of weights widens the bounds: a unit that moves now will move.
  const widens = sums.parts.every(({ range }) => range.low <= 0 && range.high >= 0)
  const constant: Bounds[] = []
  for (let unit = 0; unit < units; unit++) {
    const bounds = constantBounds(activation, sums, unit, units, widens)
    if (bounds !== null) constant.push(bounds)
  }
  return constant
}

/** null for a unit that moves, as soon as that is known. */
function constantBounds(
  activation: Activation,
  { parts, biases }: Sums,
  unit: number,
  units: number,
  widens: boolean,
): Bounds | null {
  let low = 0
  for (const bias of biases) low += bias?.data[unit] ?? 0
  let high = low
  for (const { kernel, range } of parts) {
    const { data } = kernel
    for (let i = unit; i < data.length; i += units) {
      const w = data[i]
      low += w > 0 ? w * range.low : w * range.high
      high += w > 0 ? w * range.high : w * range.low
      if (widens && !isConstant(activation, low, high)) return null
    }
  }
  return isConstant(activation, low, high) ? { unit, low, high } : null
}

function isConstant(activation: Activation, low: number, high: number): boolean {
  // Weights that are not finite have a warning of their own.
  if (!Number.isFinite(low) || !Number.isFinite(high)) return false
  const moves = movesBy(activation, low, high)
  return moves !== null && moves < CONSTANT
}

/** With peepholes there are none: the cell has no bounds, so neither have gates that see it. */
function lstmGates({ weights, coupled }: LstmNode): readonly ('i' | 'f' | 'o')[] {
  if (weights.peephole !== null) return []
  return coupled ? ['i', 'o'] : ['i', 'f', 'o']
}

function gateSaturation<G extends string>(
  node: GruNode | LstmNode,
  weights: CellWeights<Readonly<Record<G, Tensor>>>,
  gates: readonly G[],
  ranges: Ranges,
): readonly Saturation[] {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = weights
  const always = ranges.of(node.inputs.x).known
  return gates.map((gate) => {
    const sums = cellSums(node, ranges, {
      kernel: kernel[gate],
      recurrentKernel: recurrentKernel[gate],
      inputBias: inputBias?.[gate] ?? null,
      recurrentBias: recurrentBias?.[gate] ?? null,
    })
    const units = constantUnits(node.recurrentActivation, sums).map(({ unit }) => unit)
    return { node: node.name, gate, units, of: node.units, dead: false, always }
  })
}

/** The sums of a simple cell, or of one gate. */
function cellSums(
  node: RecurrentNode,
  ranges: Ranges,
  { kernel, recurrentKernel, inputBias, recurrentBias }: CellWeights<Tensor>,
): Sums {
  const parts = [
    { kernel, range: ranges.of(node.inputs.x) },
    { kernel: recurrentKernel, range: ranges.outputsOf(node) },
  ]
  return { parts, biases: [inputBias, recurrentBias] }
}

/**
 * Units whose weights are all 0, and those that stay on the flat side of a rectifier, are dead;
 * other constant units are saturated.
 */
function unitSaturation(
  { name: node, activation }: Pick<DenseNode, 'name' | 'activation'>,
  sums: Sums,
  x: Range,
): readonly Saturation[] {
  const of = sums.parts[0].kernel.shape.at(-1) ?? 0
  const constant = constantUnits(activation, sums)
  const [unreached, others] = [true, false].map((isSame) =>
    constant.filter(({ low, high }) => (low === high) === isSame).map(({ unit }) => unit),
  )
  const dead = /relu/.test(activation.kind)
  return [
    { node, gate: null, units: unreached, of, dead: true, always: true },
    { node, gate: null, units: others, of, dead, always: x.known },
  ]
}
