/** A causal convolution in WebAssembly, with the weights, the state and the order of `js/conv1d.ts`. */

import type { Conv1dKernel } from '../../layers/conv1d.ts'
import { padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { writeProduct } from './dense.ts'
import { type KernelFuncs, once, type Site } from './kernel.ts'
import { advance, pointer, writing } from './lanes.ts'

/** (x, y, the row's past, the window): one step. */
type Step = Func<readonly ['i32', 'i32', 'i32', 'i32'], undefined>

export function writeConv1d(site: Site, kernel: Conv1dKernel): KernelFuncs {
  const { module, plan, target } = site
  const { node, features, units, past } = kernel
  const one = writeStep(site, kernel)
  const step = () =>
    module.func({ name: `${node}: step`, params: ['i32', 'i32'] }, (f, frame, state) => {
      const k = writing(target, f)
      const { offsets, scratch } = plan.step
      f.call(
        one,
        pointer(k, frame, k.bytes * offsets[kernel.x]),
        pointer(k, frame, k.bytes * offsets[kernel.y]),
        pointer(k, state, k.bytes * Math.max(past, 0)),
        pointer(k, frame, k.bytes * scratch),
      )
    })
  const block = () =>
    module.func(
      { name: `${node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
      (f, frame, state, rows, steps) => {
        const k = writing(target, f)
        const { i32, local } = f
        const { offsets, scratch, steps: most } = plan.block
        const [xBytes, yBytes] = [k.bytes * padded(features), k.bytes * padded(units)]
        const xRow = pointer(k, frame, k.bytes * offsets[kernel.x])
        const yRow = pointer(k, frame, k.bytes * offsets[kernel.y])
        const own = pointer(k, state, k.bytes * Math.max(past, 0))
        const window = pointer(k, frame, k.bytes * scratch)
        const [x, y, left] = [local('i32'), local('i32'), local('i32')]
        f.loop((nextRow) => {
          local.set(x, xRow)
          local.set(y, yRow)
          local.set(left, steps)
          f.loop((nextStep) => {
            f.call(one, x, y, own, window)
            advance(k, x, xBytes)
            advance(k, y, yBytes)
            f.br_if(nextStep, local.tee(left, i32.sub(left, 1)))
          })
          advance(k, xRow, most * xBytes)
          advance(k, yRow, most * yBytes)
          advance(k, own, k.bytes * plan.stateStride)
          f.br_if(nextRow, local.tee(rows, i32.sub(rows, 1)))
        })
      },
    )
  return { step: once(step), block: once(block) }
}

function writeStep(site: Site, kernel: Conv1dKernel): Step {
  const { target } = site
  const { node, features, units, size, dilation, activation, panels, biases } = kernel
  const bytes = target.bytes * features
  const depth = (size - 1) * dilation
  const product = { node, features: size * features, units, activation, panels, biases }
  const layer = writeProduct(site, product)
  return site.module.func(
    { name: `${node}: window`, params: ['i32', 'i32', 'i32', 'i32'] },
    (f, x, y, past, window) => {
      const { i32, memory } = f
      // Neighbouring taps lie side by side already.
      const taps = dilation === 1 ? Math.min(size - 1, 1) : size - 1
      const each = dilation === 1 ? (size - 1) * bytes : bytes
      for (let tap = 0; tap < taps; tap++) {
        memory.copy(i32.add(window, tap * bytes), i32.add(past, tap * dilation * bytes), each)
      }
      memory.copy(i32.add(window, (size - 1) * bytes), x, bytes)
      f.call(layer, window, y)
      if (depth === 0) return
      memory.copy(past, i32.add(past, bytes), (depth - 1) * bytes)
      memory.copy(i32.add(past, (depth - 1) * bytes), x, bytes)
    },
  )
}
