/**
 * The GRU layer in plain JavaScript: how it is planned, how its weights are packed, and one step.
 *
 * Weights: panels (panels.ts) of z, r, n. Biases: [z|r|n|hn][units], where what can be added
 * beforehand is.
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { GruNode, PerGate } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { type LayerRuntime, sweepOver } from '../layers.ts'
import { PROJECTED_STEPS, padded, TILE_ROWS } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
import { addProducts, packBias, packPanels, panelsSize } from './panels.ts'
import { causalSteps, overSteps, planSteps, type StepsKernel } from './steps.ts'

export interface GruKernel extends StepsKernel {
  readonly kind: 'gru'
  readonly resetAfter: boolean
  readonly update: 'keeps' | 'updates'
  readonly activation: ElementwiseActivation
  readonly recurrentActivation: ElementwiseActivation
  readonly clip: number | null
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

const GATES = 3

export const gru: LayerRuntime<GruNode, GruKernel> = {
  causal: causalSteps,
  place: (node, shape) => sweepOver(shape(node.inputs.x), node.direction),

  plan(node, _, builder) {
    const { features, units } = node
    const lanes = padded(units)
    // z, r, n, hn, and r ⊙ h where the reset comes first; or, in WebAssembly, the projections of
    // some steps of all rows, and of each row z and r ⊙ h.
    const own = (node.resetAfter ? 4 : 5) * lanes
    builder.scratch(own, TILE_ROWS * (3 * PROJECTED_STEPS + 2) * lanes)
    return {
      kind: 'gru',
      ...planSteps(node, builder),
      resetAfter: node.resetAfter,
      update: node.update,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features, units, GATES)),
      biases: builder.weights(4 * lanes),
    }
  },

  pack({ weights, bias }, kernel, memory) {
    const { units, biases } = kernel
    const lanes = padded(units)
    const byGate = ({ z, r, n }: PerGate<Tensor>): Tensor[] => [z, r, n]
    packPanels(byGate(weights.kernel), byGate(weights.recurrentKernel), kernel, memory)

    const { inputBias: bi, recurrentBias: br } = weights
    const merged = bias === 'merged'
    packBias(memory, biases, units, bi?.z, br?.z)
    packBias(memory, biases + lanes, units, bi?.r, br?.r)
    packBias(memory, biases + 2 * lanes, units, bi?.n, merged ? br?.n : null)
    packBias(memory, biases + 3 * lanes, units, null, merged ? null : br?.n)
  },

  js: (kernel, ops, place) => overSteps(kernel, place, ops, step),
}

function step(
  kernel: GruKernel,
  ops: Ops,
  m: Memory,
  x: number,
  h: number,
  out: number,
  scratch: number,
): void {
  const { units, resetAfter } = kernel
  const lanes = padded(units)
  const z = scratch
  const r = scratch + lanes
  const n = scratch + 2 * lanes
  const hn = scratch + 3 * lanes
  m.copyWithin(scratch, kernel.biases, kernel.biases + 4 * lanes)

  // z, r: bias + W·x + U·h.   n: bin + Wn·x.   hn: brn + Un·h
  addProducts(ops, m, kernel, 'kernel', GATES, 0, GATES, x, scratch)
  addProducts(ops, m, kernel, 'recurrentKernel', GATES, 0, 2, h, scratch)
  // The candidate's recurrent part is a sum of its own, one array behind its input part.
  const addHn = (state: number): void =>
    addProducts(ops, m, kernel, 'recurrentKernel', GATES, 2, GATES, state, scratch + lanes)
  if (kernel.clip !== null) ops.clip(m, z, kernel.clip, 2 * lanes)
  ops.activate(m, z, 2 * lanes, kernel.recurrentActivation)

  if (resetAfter) {
    // n = φ(n + r ⊙ hn)
    addHn(h)
    ops.multiplyAdd(m, n, r, hn, lanes)
  } else {
    // hn = brn + Un·(r ⊙ h);   n = φ(n + hn)
    const rh = scratch + 4 * lanes
    ops.multiply(m, rh, r, h, lanes)
    addHn(rh)
    ops.add(m, n, hn, lanes)
  }
  if (kernel.clip !== null) ops.clip(m, n, kernel.clip, lanes)
  ops.activate(m, n, lanes, kernel.activation)

  if (kernel.update === 'keeps') ops.blend(m, out, z, h, n, lanes)
  else ops.blend(m, out, z, n, h, lanes)
}
