/**
 * One step of a causal convolution over time in plain JavaScript, on the weights of
 * `layers/conv1d.ts`. A unit's sum starts at its bias, then takes the oldest step's features first.
 */

import { isElementwise } from '../../model/activation/activations.ts'
import type { Conv1dKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'
import { addRows } from './products.ts'

export const conv1d: JsLayer<Conv1dKernel> = (kernel, ops, cursor) => {
  const { features, units, size, dilation, activation, panels, biases } = kernel
  const { memory, layout, frame, rows, steps } = cursor
  const lanes = padded(units)
  const window = frame + layout.scratch
  const depth = (size - 1) * dilation * features
  for (let row = 0; row < rows; row++) {
    const past = cursor.state + row * cursor.stateStride + kernel.past
    let from = frame + layout.offsets[kernel.x] + row * layout.steps * padded(features)
    let to = frame + layout.offsets[kernel.y] + row * layout.steps * lanes
    for (let t = 0; t < steps; t++) {
      for (let k = 0; k < size - 1; k++) {
        const tap = past + k * dilation * features
        memory.copyWithin(window + k * features, tap, tap + features)
      }
      memory.copyWithin(window + (size - 1) * features, from, from + features)
      memory.copyWithin(to, biases, biases + lanes)
      const taken = size * features
      addRows(ops, memory, panels, taken, units, 0, taken, 1, 0, 1, window, to)
      if (isElementwise(activation)) ops.activate(memory, to, lanes, activation)
      else ops.softmax(memory, to, units)
      if (depth > 0) {
        memory.copyWithin(past, past + features, past + depth)
        memory.copyWithin(past + depth - features, from, from + features)
      }
      from += padded(features)
      to += lanes
    }
  }
}
