/** One step of a simple recurrent layer in plain JavaScript, on the weights of `layers/rnn.ts`. */

import type { JsLayer } from '../layer.ts'
import type { RnnKernel } from '../layers/rnn.ts'
import { padded } from '../plan.ts'
import type { Memory, Ops } from './ops.ts'
import { addProducts } from './products.ts'
import { overSteps } from './steps.ts'

export const rnn: JsLayer<RnnKernel> = (kernel, ops, place) => overSteps(kernel, place, ops, step)

function step(kernel: RnnKernel, ops: Ops, m: Memory, x: number, h: number, out: number): void {
  const lanes = padded(kernel.units)
  m.copyWithin(out, kernel.biases, kernel.biases + lanes)

  // h' = φ(bias + W·x + U·h)
  addProducts(ops, m, kernel, 'kernel', 1, 0, 1, x, out)
  addProducts(ops, m, kernel, 'recurrentKernel', 1, 0, 1, h, out)
  if (kernel.clip !== null) ops.clip(m, out, kernel.clip, lanes)
  ops.activate(m, out, lanes, kernel.activation)
}
