/** The Dense layer in plain JavaScript, on the weights of `layers/dense.ts`. */

import { isElementwise } from '../../model/activation.ts'
import type { JsLayer } from '../layer.ts'
import type { DenseKernel } from '../layers/dense.ts'
import { padded } from '../plan.ts'
import { addRows } from './products.ts'

export const dense: JsLayer<DenseKernel> = (
  { features, units, activation, x, y, overTime, panels, biases },
  ops,
  place,
) => {
  const { memory, layout } = place
  const lanes = padded(units)
  const xStride = padded(features)
  const perRow = overTime ? layout.steps : 1
  const steps = overTime ? place.steps : 1
  for (let row = 0; row < place.rows; row++) {
    let from = place.frame + layout.offsets[x] + row * perRow * xStride
    let to = place.frame + layout.offsets[y] + row * perRow * lanes
    for (let t = 0; t < steps; t++) {
      memory.copyWithin(to, biases, biases + lanes)
      addRows(ops, memory, panels, features, units, 0, features, 1, 0, 1, from, to)
      if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
      else ops.softmax(memory, to, units)
      from += xStride
      to += lanes
    }
  }
}
