/** An activation as a layer of its own, in plain JavaScript. */

import { isElementwise } from '../../model/activation.ts'
import type { JsLayer } from '../layer.ts'
import type { ActivationKernel } from '../layers/activation.ts'
import { overFrame } from './vectors.ts'

export const activation: JsLayer<ActivationKernel> = (kernel, ops, place) => {
  const { activation, width, lanes } = kernel
  const { memory } = place
  overFrame(kernel, place, (from, to) => {
    memory.copyWithin(to, from, from + lanes)
    if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
    else ops.softmax(memory, to, width)
  })
}
