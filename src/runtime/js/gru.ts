/**
 * The GRU layer in plain JavaScript: how it is planned, how its weights are packed, and one step.
 *
 * Weights: [vector of 4 units][rows of W, then rows of U][z|r|n][4 lanes], so that one step reads
 * them from front to back. Biases: [z|r|n|hn][units], where what can be added beforehand is.
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { GruNode, PerGate } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { type LayerRuntime, sweepOver } from '../layers.ts'
import { LANES, padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
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

/** Elements from one row of a panel to the next: three gates of four lanes. */
const ROW = 3 * LANES

export const gru: LayerRuntime<GruNode, GruKernel> = {
  causal: causalSteps,
  place: (node, shape) => sweepOver(shape(node.inputs.x), node.direction),

  plan(node, _, builder) {
    const { features, units } = node
    const lanes = padded(units)
    // z, r, n, hn, and r ⊙ h where the reset comes first.
    builder.scratch((node.resetAfter ? 4 : 5) * lanes)
    return {
      kind: 'gru',
      ...planSteps(node, builder),
      resetAfter: node.resetAfter,
      update: node.update,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      clip: node.clip,
      panels: builder.weights((features + units) * 3 * lanes),
      biases: builder.weights(4 * lanes),
    }
  },

  pack({ weights, bias }, kernel, memory) {
    const { features, units, biases } = kernel
    const lanes = padded(units)
    packGates(weights.kernel, features, 0, kernel, memory)
    packGates(weights.recurrentKernel, units, features, kernel, memory)

    const input = weights.inputBias
    const recurrent = weights.recurrentBias
    const merged = bias === 'merged'
    for (let u = 0; u < units; u++) {
      const bi = (gate: keyof PerGate<Tensor>): number => input?.[gate].data[u] ?? 0
      const br = (gate: keyof PerGate<Tensor>): number => recurrent?.[gate].data[u] ?? 0
      // Sums of two biases are taken in float64 and rounded once, on their way into memory.
      memory[biases + u] = bi('z') + br('z')
      memory[biases + lanes + u] = bi('r') + br('r')
      memory[biases + 2 * lanes + u] = merged ? bi('n') + br('n') : bi('n')
      memory[biases + 3 * lanes + u] = merged ? 0 : br('n')
    }
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
  const { features, units, resetAfter } = kernel
  const lanes = padded(units)
  const panel = (features + units) * ROW
  const z = scratch
  const r = scratch + lanes
  const n = scratch + 2 * lanes
  const hn = scratch + 3 * lanes
  m.copyWithin(scratch, kernel.biases, kernel.biases + 4 * lanes)

  // z, r: bias + W·x + U·h.   n: bin + Wn·x.   hn: brn + Un·h
  for (let u = 0, w = kernel.panels; u < lanes; u += LANES, w += panel) {
    const recurrent = w + features * ROW
    ops.accumulate(m, z + u, w, ROW, x, features)
    ops.accumulate(m, r + u, w + LANES, ROW, x, features)
    ops.accumulate(m, n + u, w + 2 * LANES, ROW, x, features)
    ops.accumulate(m, z + u, recurrent, ROW, h, units)
    ops.accumulate(m, r + u, recurrent + LANES, ROW, h, units)
    if (resetAfter) ops.accumulate(m, hn + u, recurrent + 2 * LANES, ROW, h, units)
  }
  if (kernel.clip !== null) ops.clip(m, z, kernel.clip, 2 * lanes)
  ops.activate(m, z, 2 * lanes, kernel.recurrentActivation)

  if (resetAfter) {
    // n = φ(n + r ⊙ hn)
    ops.multiplyAdd(m, n, r, hn, lanes)
  } else {
    // hn = brn + Un·(r ⊙ h);   n = φ(n + hn)
    const rh = scratch + 4 * lanes
    ops.multiply(m, rh, r, h, lanes)
    for (
      let u = 0, w = kernel.panels + features * ROW + 2 * LANES;
      u < lanes;
      u += LANES, w += panel
    ) {
      ops.accumulate(m, hn + u, w, ROW, rh, units)
    }
    ops.add(m, n, hn, lanes)
  }
  if (kernel.clip !== null) ops.clip(m, n, kernel.clip, lanes)
  ops.activate(m, n, lanes, kernel.activation)

  if (kernel.update === 'keeps') ops.blend(m, out, z, h, n, lanes)
  else ops.blend(m, out, z, n, h, lanes)
}

/** Writes three [rows, units] arrays into the panels, from row `first` of each panel on. */
function packGates(
  gates: PerGate<Tensor>,
  rows: number,
  first: number,
  { features, units, panels }: GruKernel,
  memory: Memory,
): void {
  const order = [gates.z.data, gates.r.data, gates.n.data]
  for (let u = 0; u < units; u++) {
    const vector = panels + Math.floor(u / LANES) * (features + units) * ROW + (u % LANES)
    for (let i = 0; i < rows; i++) {
      const at = vector + (first + i) * ROW
      for (let gate = 0; gate < 3; gate++) memory[at + gate * LANES] = order[gate][i * units + u]
    }
  }
}
