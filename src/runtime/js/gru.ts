/**
 * The GRU layer in plain JavaScript: how it is planned, how its weights are packed, and one step.
 *
 * Weights: [vector of 4 units][rows of W, then rows of U][z|r|n][4 lanes], so that one step reads
 * them from front to back. Biases: [z|r|n|hn][units], where what can be added beforehand is.
 */

import type { ElementwiseActivation } from '../../model/activations.ts'
import type { MaskedOutput } from '../../model/masking.ts'
import type { GruNode, PerGate } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import type { LayerRuntime, Place } from '../layers.ts'
import { repeatsState, STEP } from '../masks.ts'
import { LANES, padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'

export interface GruKernel {
  readonly kind: 'gru'
  readonly node: string
  readonly features: number
  readonly units: number
  readonly resetAfter: boolean
  readonly update: 'keeps' | 'updates'
  readonly activation: ElementwiseActivation
  readonly recurrentActivation: ElementwiseActivation
  readonly direction: 'forward' | 'backward'
  readonly maskedOutput: MaskedOutput
  readonly clip: number | null
  /** Value indices; −1 where the graph leaves the port open. */
  readonly x: number
  readonly initialState: number
  readonly sequence: number
  readonly last: number
  /** Offset in the state row. */
  readonly state: number
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

/** Elements from one row of a panel to the next: three gates of four lanes. */
const ROW = 3 * LANES

export const gru: LayerRuntime<GruNode, GruKernel> = {
  causal(node) {
    if (node.direction === 'backward') return 'it reads the sequence from its end'
    return node.inputs.initialState === undefined
      ? true
      : 'it starts from a state that comes from outside'
  },

  sweep: (node) => node.direction,

  plan(node, builder) {
    const { features, units } = node
    const lanes = padded(units)
    // z, r, n, hn, and r ⊙ h where the reset comes first.
    builder.scratch((node.resetAfter ? 4 : 5) * lanes)
    return {
      kind: 'gru',
      node: node.name,
      features,
      units,
      resetAfter: node.resetAfter,
      update: node.update,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      direction: node.direction,
      maskedOutput: node.maskedOutput,
      clip: node.clip,
      x: builder.value(node.inputs.x),
      initialState: builder.value(node.inputs.initialState),
      // The recurrence reads its own last output, so the sequence exists even if nobody asks for it.
      sequence:
        node.outputs.sequence === undefined
          ? builder.localValue(`${node.name}: sequence`, units, true)
          : builder.value(node.outputs.sequence),
      last: builder.value(node.outputs.last),
      state: builder.state(`${node.name}.h`),
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

/** One row, one timestep: reads x and h, writes h' to `out`. */
export type GruStep<C> = (
  kernel: GruKernel,
  context: C,
  m: Memory,
  x: number,
  h: number,
  out: number,
  scratch: number,
) => void

/** Rows, steps and masks; what a step is made of is the engine's. */
export function overSteps<C>(kernel: GruKernel, place: Place, context: C, step: GruStep<C>): void {
  const { memory, layout, rows, steps } = place
  const lanes = padded(kernel.units)
  const xStride = padded(kernel.features)
  const scratch = place.frame + layout.scratch
  for (let row = 0; row < rows; row++) {
    const state = place.state + row * place.stateStride + kernel.state
    if (place.start && kernel.initialState >= 0) {
      const from = place.frame + layout.offsets[kernel.initialState] + row * lanes
      memory.copyWithin(state, from, from + lanes)
    }
    const first = kernel.direction === 'forward' ? 0 : steps - 1
    const way = kernel.direction === 'forward' ? 1 : -1
    const start = row * layout.steps + first
    let x = place.frame + layout.offsets[kernel.x] + start * xStride
    let out = place.frame + layout.offsets[kernel.sequence] + start * lanes
    const codes = place.masks === null ? null : place.masks[kernel.direction]
    let code = (place.firstRow + row) * place.allSteps + place.firstStep + first
    let h = state
    for (let i = 0; i < steps; i++) {
      if (codes === null || codes[code] === STEP.valid) {
        step(kernel, context, memory, x, h, out, scratch)
        h = out
      } else if (repeatsState(codes[code], kernel.maskedOutput, place.masks!.missing)) {
        memory.copyWithin(out, h, h + lanes)
      } else {
        memory.fill(0, out, out + lanes)
      }
      x += way * xStride
      out += way * lanes
      code += way
    }
    if (h !== state) memory.copyWithin(state, h, h + lanes)
    if (kernel.last >= 0) {
      // Where steps are masked, the last output may be a repeated one, or zeros; where they are
      // missing, the last output is that of the last step there is, and so the state.
      const from = codes === null || place.masks!.missing ? state : out - way * lanes
      memory.copyWithin(place.frame + layout.offsets[kernel.last] + row * lanes, from, from + lanes)
    }
  }
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
