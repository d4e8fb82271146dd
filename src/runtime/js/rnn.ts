/**
 * The simple recurrent layer in plain JavaScript: how it is planned, how its weights are packed, and
 * one step. Weights: panels (panels.ts) of the one gate. Biases: [units], the sum of both.
 */

import type { JsLayer } from '../layer.ts'
import type { RnnKernel } from '../layers/rnn.ts'
import { LANES, padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
import { overSteps } from './steps.ts'

export const rnn: JsLayer<RnnKernel> = (kernel, ops, place) => overSteps(kernel, place, ops, step)

function step(kernel: RnnKernel, ops: Ops, m: Memory, x: number, h: number, out: number): void {
  const { features, units } = kernel
  const lanes = padded(units)
  const panel = (features + units) * LANES
  m.copyWithin(out, kernel.biases, kernel.biases + lanes)

  // h' = φ(bias + W·x + U·h)
  for (let u = 0, w = kernel.panels; u < lanes; u += LANES, w += panel) {
    ops.accumulate(m, out + u, w, LANES, x, features)
    ops.accumulate(m, out + u, w + features * LANES, LANES, h, units)
  }
  if (kernel.clip !== null) ops.clip(m, out, kernel.clip, lanes)
  ops.activate(m, out, lanes, kernel.activation)
}
