/**
 * The GRU layer in plain JavaScript: how it is planned, how its weights are packed, and one step.
 *
 * Weights: panels (panels.ts) of z, r, n. Biases: [z|r|n|hn][units], where what can be added
 * beforehand is.
 */

import type { JsLayer } from '../layer.ts'
import type { GruKernel } from '../layers/gru.ts'
import { LANES, padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
import { overSteps } from './steps.ts'

/** Elements from one row of a panel to the next: three gates of four lanes. */
const ROW = 3 * LANES

export const gru: JsLayer<GruKernel> = (kernel, ops, place) => overSteps(kernel, place, ops, step)

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
