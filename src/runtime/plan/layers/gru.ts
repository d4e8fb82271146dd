/**
 * Plans a GRU, and packs its weights.
 *
 * Weights: panels (panels.ts) of z, r, n. Biases: [z|r|n|hn][units], where what can be added
 * beforehand is.
 */

import type { GruNode, PerGate } from '../../../model/types.ts'
import type { Tensor } from '../../../tensor.ts'
import type { GruKernel } from '../kernels.ts'
import { type LayerPlan, type PlanOptions, PROJECTED_STEPS, padded, TILE_ROWS } from '../types.ts'
import { packBias, packPanels, panelsSize } from './panels.ts'
import { overSteps, planPorts, planRecurrent } from './recurrent.ts'

/** Bytes of weights: 16 units with 16 features take 6 kB, 20 with 20 take 10. */
const SMALL = 8000

/**
 * Whether nothing is won by loading weights less often than each step of each row needs them: few stay
 * in the first cache. Measured: with 16 units sequences are 3 % faster and batches 5 % slower, with 20
 * 3 and 9 % slower, with 32 as fast and 6 % slower.
 */
export function isSmall(
  { features, units }: Pick<GruKernel, 'features' | 'units'>,
  precision: PlanOptions['precision'],
): boolean {
  const bytes = precision === 'f32' ? 4 : 8
  return bytes * panelsSize(features + units, units, 3) <= SMALL
}

export const gru: LayerPlan<GruNode, GruKernel> = {
  ...overSteps,

  plan(node, _, builder) {
    const { features, units } = node
    const lanes = padded(units)
    // z, r, n, hn, and r ⊙ h where the reset comes first; or, in WebAssembly, z, r and n of all rows,
    // of some steps where those are projected beforehand.
    const own = (node.resetAfter ? 4 : 5) * lanes
    const atOnce = isSmall(node, builder.precision) ? 1 : PROJECTED_STEPS
    builder.scratch(own, TILE_ROWS * 3 * atOnce * lanes)
    return {
      kind: 'gru',
      ...planRecurrent(node, builder),
      resetAfter: node.resetAfter,
      update: node.update,
      activation: node.activation,
      recurrentActivation: node.recurrentActivation,
      clip: node.clip,
      panels: builder.weights(panelsSize(features + units, units, 3)),
      biases: builder.weights(4 * lanes),
      ...planPorts(builder),
    }
  },

  pack({ weights, bias }, kernel, memory) {
    const { units, biases } = kernel
    const lanes = padded(units)
    const byGate = ({ z, r, n }: PerGate<Tensor>): Tensor[] => [z, r, n]
    packPanels([weights.kernel, weights.recurrentKernel].map(byGate), units, kernel.panels, memory)

    const { inputBias: bi, recurrentBias: br } = weights
    const merged = bias === 'merged'
    packBias(memory, biases, units, bi?.z, br?.z)
    packBias(memory, biases + lanes, units, bi?.r, br?.r)
    packBias(memory, biases + 2 * lanes, units, bi?.n, merged ? br?.n : null)
    packBias(memory, biases + 3 * lanes, units, null, merged ? null : br?.n)
  },
}
