/** Weights that leave nothing to learn or to say: told before anybody trusts them. */

import type { Tensor } from '../tensor.ts'
import type { Activation } from './activations.ts'
import { weightsOf } from './layers.ts'
import { movesBy, type Range, Ranges, USUAL } from './ranges.ts'
import type { GruNode, LayerNode, LstmNode, RnnNode } from './types.ts'

/** A gate or a unit that moves by less than this is as good as a constant. */
const CONSTANT = 1e-3

/** Units that a message lists. */
const LISTED = 6

/**
 * A sentence for each layer with units that cannot move, or gates that are shut or open for good,
 * which a healthy training rarely leaves behind; and one for how arrays are stored, where that has
 * cost digits. Layers that share their arrays are told of once; broken ones elsewhere (`warnings.ts`).
 */
export function stuckWarnings(nodes: readonly LayerNode[]): readonly string[] {
  const warnings = new Set<string>()
  const seen = new Set<unknown>()
  const stored = new Set<string>()
  const ranges = new Ranges()
  for (const node of nodes) {
    const tensors = Object.values(weightsOf(node))
    if (tensors.length > 0 && !seen.has(tensors[0])) {
      seen.add(tensors[0])
      for (const { dtype } of tensors)
        if (dtype === 'float16' || dtype === 'bfloat16') stored.add(dtype)
      for (const warning of stuck(node, ranges)) warnings.add(warning)
    }
    ranges.add(node)
  }
  for (const dtype of stored) warnings.add(`weights are stored in ${dtype}: they have few digits`)
  return [...warnings]
}

/** Units and gates that are the same whatever arrives. */
function stuck(node: LayerNode, ranges: Ranges): readonly string[] {
  switch (node.kind) {
    case 'gru':
      return gates(node, ranges, gruGates(node))
    case 'lstm':
      return gates(node, ranges, lstmGates(node))
    case 'rnn':
      return simple(node, ranges)
    case 'dense':
    case 'conv1d': {
      const { kernel, bias } = node.weights
      const x = ranges.of(node.inputs.x)
      return units(node.name, node.activation, boundsOf([{ kernel, range: x }], [bias]), x)
    }
    case 'batchNorm':
    case 'layerNorm': {
      const gamma = node.weights.gamma?.data ?? []
      const dead = Array.from(gamma, (_, u) => u).filter((u) => gamma[u] === 0)
      return dead.length === 0 ? [] : [deadUnits(node.name, dead, gamma.length, 'whatever arrives')]
    }
    default:
      return []
  }
}

interface Bounds {
  readonly low: Float64Array
  readonly high: Float64Array
}

/** Between what a pre-activation lies: of each unit, over all that can arrive. */
function boundsOf(
  parts: readonly { readonly kernel: Tensor; readonly range: Range }[],
  biases: readonly (Tensor | null | undefined)[],
): Bounds {
  const count = parts[0].kernel.shape.at(-1) ?? 0
  const low = new Float64Array(count)
  const high = new Float64Array(count)
  for (const bias of biases)
    bias?.data.forEach((b, u) => {
      low[u] += b
      high[u] += b
    })
  for (const { kernel, range } of parts) {
    const { data } = kernel
    for (let i = 0; i < data.length; i++) {
      const w = data[i]
      low[i % count] += w > 0 ? w * range.low : w * range.high
      high[i % count] += w > 0 ? w * range.high : w * range.low
    }
  }
  return { low, high }
}

interface Gate {
  readonly title: string
  readonly activation: Activation
  readonly kernel: Tensor
  readonly recurrentKernel: Tensor
  readonly biases: readonly (Tensor | null | undefined)[]
}

function gruGates({ weights, recurrentActivation }: GruNode): readonly Gate[] {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = weights
  return (['z', 'r'] as const).map((gate) => ({
    title: gate === 'z' ? 'update gate' : 'reset gate',
    activation: recurrentActivation,
    kernel: kernel[gate],
    recurrentKernel: recurrentKernel[gate],
    biases: [inputBias?.[gate], recurrentBias?.[gate]],
  }))
}

/** Gates that see the cell have no bounds: it has none. */
function lstmGates({ weights, recurrentActivation, coupled }: LstmNode): readonly Gate[] {
  const { kernel, recurrentKernel, inputBias, recurrentBias, peephole } = weights
  const titles = { i: 'input gate', f: 'forget gate', o: 'output gate' } as const
  return (['i', 'f', 'o'] as const)
    .filter((gate) => peephole === null && !(coupled && gate === 'f'))
    .map((gate) => ({
      title: titles[gate],
      activation: recurrentActivation,
      kernel: kernel[gate],
      recurrentKernel: recurrentKernel[gate],
      biases: [inputBias?.[gate], recurrentBias?.[gate]],
    }))
}

function gates(node: GruNode | LstmNode, ranges: Ranges, all: readonly Gate[]): readonly string[] {
  const x = ranges.of(node.inputs.x)
  const h = ranges.givenBy(node)
  return all.flatMap(({ title, activation, kernel, recurrentKernel, biases }) => {
    const parts = [
      { kernel, range: x },
      { kernel: recurrentKernel, range: h },
    ]
    const still = constants(activation, boundsOf(parts, biases))
    if (still.length === 0) return []
    const what = still.length === 1 ? 'unit' : 'units'
    return [
      `${node.name}: the ${title} of ${still.length} of ${node.units} units is saturated (${what} ${list(still)}): it moves by less than ${CONSTANT} ${whatever(x)}`,
    ]
  })
}

function simple(node: RnnNode, ranges: Ranges): readonly string[] {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  const x = ranges.of(node.inputs.x)
  const parts = [
    { kernel, range: x },
    { kernel: recurrentKernel, range: ranges.givenBy(node) },
  ]
  return units(node.name, node.activation, boundsOf(parts, [inputBias, recurrentBias]), x)
}

/** Units with an activation of their own: those that stay at 0 are dead, others are saturated. */
function units(name: string, activation: Activation, bounds: Bounds, x: Range): readonly string[] {
  const count = bounds.low.length
  const still = constants(activation, bounds)
  const apart = still.filter((u) => bounds.low[u] === bounds.high[u])
  const others = still.filter((u) => bounds.low[u] !== bounds.high[u])
  const clipped = /relu/.test(activation.kind)
  return [
    ...(apart.length === 0 ? [] : [deadUnits(name, apart, count, 'whatever arrives')]),
    ...(others.length === 0
      ? []
      : clipped
        ? [deadUnits(name, others, count, whatever(x))]
        : [
            `${name}: ${others.length} of ${count} units ${others.length === 1 ? 'is' : 'are'} saturated (${list(others)}): they move by less than ${CONSTANT} ${whatever(x)}`,
          ]),
  ]
}

function constants(activation: Activation, { low, high }: Bounds): readonly number[] {
  return Array.from(low, (_, u) => u).filter((u) => {
    // What is broken is told of elsewhere.
    if (!Number.isFinite(low[u]) || !Number.isFinite(high[u])) return false
    const moves = movesBy(activation, low[u], high[u])
    return moves !== null && moves < CONSTANT
  })
}

function deadUnits(name: string, dead: readonly number[], count: number, always: string): string {
  const verb = dead.length === 1 ? 'is' : 'are'
  return `${name}: ${dead.length} of ${count} units ${verb} dead (${list(dead)}): they give the same ${always}`
}

function whatever({ known }: Range): string {
  return known ? 'whatever arrives' : `for all inputs within ±${USUAL}`
}

function list(all: readonly number[]): string {
  const shown = all.slice(0, LISTED).join(', ')
  return all.length > LISTED ? `${shown}, …` : shown
}
