/** A causal convolution in WebAssembly, with the weights, the state and the order of `js/conv1d.ts`. */

import type { Conv1dKernel } from '../../plan/kernels.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { writeProduct } from './dense.ts'
import type { Emitter, Pointer } from './emitter.ts'
import { scratchAt, stateAt, valueAt, type Write, writeLoopNest } from './loop-nest.ts'

export function writeConv1d(context: CodegenContext, kernel: Conv1dKernel, entry: Entry): Routine {
  const { plan } = context
  const { kind, x, y, past } = kernel
  const step = writeStep(context, kernel)
  const vectors = [
    valueAt(plan, x),
    valueAt(plan, y),
    scratchAt(plan, 0),
    // A convolution of size 1 has none.
    ...(past < 0 ? [] : [stateAt(plan, past)]),
  ]
  const parts: readonly Write[] = [(k, at) => k.f.call(step, ...at)]
  return writeLoopNest(context, { kind, vectors, parts }, entry)
}

/** (x, y, the window, the row's past if there is one): one step. */
function writeStep(context: CodegenContext, kernel: Conv1dKernel): Routine {
  const { kind, features, units, size, dilation, activation, panels, biases } = kernel
  const bytes = context.config.bytes * features
  const depth = (size - 1) * dilation
  const product = { kind, features: size * features, units, activation, panels, biases }
  const layer = writeProduct(context, product)
  const write = (k: Emitter, x: Pointer, y: Pointer, window: Pointer, past: Pointer): void => {
    const { call, i32, memory } = k.f
    // Neighbouring taps lie side by side already.
    const taps = dilation === 1 ? Math.min(size - 1, 1) : size - 1
    const each = dilation === 1 ? (size - 1) * bytes : bytes
    for (let tap = 0; tap < taps; tap++) {
      memory.copy(i32.add(window, tap * bytes), i32.add(past, tap * dilation * bytes), each)
    }
    memory.copy(i32.add(window, (size - 1) * bytes), x, bytes)
    call(layer, window, y)
    if (depth === 0) return
    memory.copy(past, i32.add(past, bytes), (depth - 1) * bytes)
    memory.copy(i32.add(past, (depth - 1) * bytes), x, bytes)
  }
  return context.func(`${kind}: window`, write, depth === 0 ? 3 : 4)
}
