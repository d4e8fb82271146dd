/**
 * The LSTM layer in plain JavaScript: how it is planned, how its weights are packed, and one step.
 *
 * Weights: panels (panels.ts) of i, f, g, o; of i, g, o where the gates are coupled. Biases:
 * [gates][units], sums of both where there are two, and peepholes behind them: [i|f|o][units].
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { LstmNode, PerLstmGate } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { type LayerRuntime, sweepOver } from '../layers.ts'
import { padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
import { addProducts, packBias, packPanels, panelsSize } from './panels.ts'
import { causalSteps, overSteps, planSteps, type StepsKernel } from './steps.ts'

export interface LstmKernel extends StepsKernel {
  readonly kind: 'lstm'
  readonly coupled: boolean
  readonly activation: ElementwiseActivation
  readonly recurrentActivation: ElementwiseActivation
  readonly outputActivation: ElementwiseActivation
  readonly clip: number | null
  /** Offsets in the weights; −1 for no peepholes. */
  readonly panels: number
  readonly biases: number
  readonly peepholes: number
}

export const lstm: LayerRuntime<LstmNode, LstmKernel> = {
  causal: causalSteps,
  place: (node, shape) => sweepOver(shape(node.inputs.x), node.direction),

  plan(node, _, builder) {
    const { features, units, coupled } = node
    const lanes = padded(units)
    const gates = gatesOf(node).length
    builder.scratch(gates * lanes)
    const sees = node.weights.peephole !== null
    const biases = builder.weights((gates + (sees ? 3 : 0)) * lanes)
    return {
      kind: 'lstm',
      ...planSteps(node, builder),
      coupled,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      outputActivation: node.outputActivation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features, units, gates)),
      biases,
      peepholes: sees ? biases + gates * lanes : -1,
    }
  },

  pack({ weights }, kernel, memory) {
    const { units, biases, peepholes } = kernel
    const lanes = padded(units)
    const gates = gatesOf(kernel)
    const byGate = (arrays: PerLstmGate<Tensor>): Tensor[] => gates.map((gate) => arrays[gate])
    packPanels(byGate(weights.kernel), byGate(weights.recurrentKernel), kernel, memory)
    gates.forEach((gate, at) => {
      const { inputBias: bi, recurrentBias: br } = weights
      packBias(memory, biases + at * lanes, units, bi?.[gate], br?.[gate])
    })
    if (weights.peephole === null) return
    const { i, f, o } = weights.peephole
    ;[i, f, o].forEach(({ data }, at) => {
      memory.set(data, peepholes + at * lanes)
    })
  },

  js: (kernel, ops, place) => overSteps(kernel, place, ops, step),
}

/** The gates that have weights of their own, in the order of the panels. */
export function gatesOf({
  coupled,
}: Pick<LstmNode, 'coupled'>): readonly (keyof PerLstmGate<unknown>)[] {
  return coupled ? ['i', 'g', 'o'] : ['i', 'f', 'g', 'o']
}

function step(
  kernel: LstmKernel,
  ops: Ops,
  m: Memory,
  x: number,
  h: number,
  out: number,
  scratch: number,
  states: number,
): void {
  const { units, coupled, peepholes, clip } = kernel
  const lanes = padded(units)
  const gates = coupled ? 3 : 4
  const c = states + kernel.cell
  const i = scratch
  const f = scratch + lanes
  const g = scratch + (gates - 2) * lanes
  const o = scratch + (gates - 1) * lanes
  m.copyWithin(scratch, kernel.biases, kernel.biases + gates * lanes)

  // i, f, g, o: bias + W·x + U·h
  addProducts(ops, m, kernel, 'kernel', gates, 0, gates, x, scratch)
  addProducts(ops, m, kernel, 'recurrentKernel', gates, 0, gates, h, scratch)
  // i = i + pi ⊙ c;   f = f + pf ⊙ c
  if (peepholes >= 0) ops.multiplyAdd(m, i, peepholes, c, lanes)
  if (peepholes >= 0 && !coupled) ops.multiplyAdd(m, f, peepholes + lanes, c, lanes)
  if (clip !== null) ops.clip(m, scratch, clip, (gates - 1) * lanes)
  ops.activate(m, i, (gates - 2) * lanes, kernel.recurrentActivation)
  ops.activate(m, g, lanes, kernel.activation)

  // c' = f ⊙ c + i ⊙ g, with f = 1 − i where the gates are coupled
  if (coupled) ops.blend(m, c, i, g, c, lanes)
  else {
    ops.multiply(m, c, f, c, lanes)
    ops.multiplyAdd(m, c, i, g, lanes)
  }

  // o = σ(o + po ⊙ c');   h' = o ⊙ ψ(c')
  if (peepholes >= 0) ops.multiplyAdd(m, o, peepholes + 2 * lanes, c, lanes)
  if (clip !== null) ops.clip(m, o, clip, lanes)
  ops.activate(m, o, lanes, kernel.recurrentActivation)
  m.copyWithin(out, c, c + lanes)
  ops.activate(m, out, lanes, kernel.outputActivation)
  ops.multiply(m, out, o, out, lanes)
}
