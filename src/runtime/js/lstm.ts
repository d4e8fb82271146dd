/** One step of an LSTM in plain JavaScript, on the weights of `layers/lstm.ts`. */

import type { LstmKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import type { Ops } from './ops.ts'
import { addProducts } from './products.ts'
import { type CellStep, overSteps } from './steps.ts'

export const lstm: JsLayer<LstmKernel> = (kernel, ops, cursor) =>
  overSteps(kernel, cursor, ops, step)

const step: CellStep<LstmKernel, Ops> = (kernel, ops, m, x, h, out, scratch, states) => {
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
