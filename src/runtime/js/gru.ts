/** One step of a GRU in plain JavaScript, on the weights of `layers/gru.ts`. */

import type { GruKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import type { Ops } from './ops.ts'
import { addProducts } from './products.ts'
import { type CellStep, overSteps } from './steps.ts'

const GATES = 3

export const gru: JsLayer<GruKernel> = (kernel, ops, cursor) => overSteps(kernel, cursor, ops, step)

const step: CellStep<GruKernel, Ops> = (kernel, ops, m, x, h, out, scratch) => {
  const { units, resetAfter } = kernel
  const lanes = padded(units)
  const z = scratch
  const r = scratch + lanes
  const n = scratch + 2 * lanes
  const hn = scratch + 3 * lanes
  // The candidate's recurrent part is a sum of its own, one array behind its input part.
  const behind = scratch + lanes
  m.copyWithin(scratch, kernel.biases, kernel.biases + 4 * lanes)

  // z, r: bias + W·x + U·h.   n: bin + Wn·x.   hn: brn + Un·h
  addProducts(ops, m, kernel, 'kernel', GATES, 0, GATES, x, scratch)
  addProducts(ops, m, kernel, 'recurrentKernel', GATES, 0, 2, h, scratch)
  if (kernel.clip !== null) ops.clip(m, z, kernel.clip, 2 * lanes)
  ops.activate(m, z, 2 * lanes, kernel.recurrentActivation)

  if (resetAfter) {
    // n = φ(n + r ⊙ hn)
    addProducts(ops, m, kernel, 'recurrentKernel', GATES, 2, GATES, h, behind)
    ops.multiplyAdd(m, n, r, hn, lanes)
  } else {
    // hn = brn + Un·(r ⊙ h);   n = φ(n + hn)
    const rh = scratch + 4 * lanes
    ops.multiply(m, rh, r, h, lanes)
    addProducts(ops, m, kernel, 'recurrentKernel', GATES, 2, GATES, rh, behind)
    ops.add(m, n, hn, lanes)
  }
  if (kernel.clip !== null) ops.clip(m, n, kernel.clip, lanes)
  ops.activate(m, n, lanes, kernel.activation)

  if (kernel.update === 'keeps') ops.blend(m, out, z, h, n, lanes)
  else ops.blend(m, out, z, n, h, lanes)
}
