/** The Dense layer in plain JavaScript, on the weights of `layers/dense.ts`. */

import { isElementwise } from '../../model/activation.ts'
import type { JsLayer } from '../layer.ts'
import type { DenseKernel } from '../layers/dense.ts'
import { LANES, padded } from '../plan.ts'

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
      for (let u = 0, w = panels; u < lanes; u += LANES, w += features * LANES) {
        ops.accumulate(memory, to + u, w, LANES, from, features)
      }
      if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
      else ops.softmax(memory, to, units)
      from += xStride
      to += lanes
    }
  }
}
