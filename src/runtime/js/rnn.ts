/** One step of a simple recurrent layer in plain JavaScript, on the weights of `layers/rnn.ts`. */

import type { RnnKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import type { Ops } from './ops.ts'
import { addProducts } from './products.ts'
import { type CellStep, overSteps } from './steps.ts'

export const rnn: JsLayer<RnnKernel> = (kernel, ops, cursor) => overSteps(kernel, cursor, ops, step)

const step: CellStep<RnnKernel, Ops> = (kernel, ops, m, x, h, out) => {
  const lanes = padded(kernel.units)
  m.copyWithin(out, kernel.biases, kernel.biases + lanes)

  // h' = φ(bias + W·x + U·h)
  addProducts(ops, m, kernel, 'kernel', 1, 0, 1, x, out)
  addProducts(ops, m, kernel, 'recurrentKernel', 1, 0, 1, h, out)
  if (kernel.clip !== null) ops.clip(m, out, kernel.clip, lanes)
  ops.activate(m, out, lanes, kernel.activation)
}
