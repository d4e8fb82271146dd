/** An activation as a layer of its own, in plain JavaScript. */

import { isElementwise } from '../../model/activation/activations.ts'
import type { ActivationKernel } from '../plan/kernels.ts'
import type { JsLayer } from './cursor.ts'
import { overFrame } from './vectors.ts'

export const activation: JsLayer<ActivationKernel> = (kernel, ops, cursor) => {
  const { activation, width, lanes } = kernel
  const { memory } = cursor
  overFrame(kernel, cursor, (from, to) => {
    memory.copyWithin(to, from, from + lanes)
    if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
    else ops.softmax(memory, to, width)
  })
}
