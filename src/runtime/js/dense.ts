/** The Dense layer in plain JavaScript, on the weights of `layers/dense.ts`. */

import { isElementwise } from '../../model/activation/activations.ts'
import type { DenseKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import { addRows } from './products.ts'

export const dense: JsLayer<DenseKernel> = (
  { features, units, activation, x, y, overTime, panels, biases },
  ops,
  cursor,
) => {
  const { memory, layout } = cursor
  const lanes = padded(units)
  const xStride = padded(features)
  const perRow = overTime ? layout.steps : 1
  const steps = overTime ? cursor.steps : 1
  for (let row = 0; row < cursor.rows; row++) {
    let from = cursor.frame + layout.offsets[x] + row * perRow * xStride
    let to = cursor.frame + layout.offsets[y] + row * perRow * lanes
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
