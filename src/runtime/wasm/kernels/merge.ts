/** Writes merges: values into one, or side by side, in the order of `js/merge.ts`. */

import type { MergeKernel } from '../../plan/kernels.ts'
import { LANES, padded } from '../../plan/types.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import {
  advance,
  type Emitter,
  type Pointer,
  pointer,
  repeat,
  splat,
  toLocal,
  VECTOR,
  type Vector,
} from './emitter.ts'
import { writeVectorLayer } from './loop-nest.ts'

export function writeMerge(context: CodegenContext, kernel: MergeKernel, entry: Entry): Routine {
  const { kind, mode, inputs, widths, y } = kernel
  const values = [...inputs, y]
  const layer = context.func(
    kind,
    (k, ...pointers) => {
      const from = pointers.slice(0, -1)
      const to = pointers.at(-1)!
      if (mode === 'concatenate') sideBySide(k, from, widths, to)
      else elementwise(k, mode, from, (padded(widths[0]) / LANES) * k.parts, to)
    },
    values.length,
  )
  return writeVectorLayer(context, kind, values, layer, entry)
}

/** To the byte: what lies behind a vector may be another value. */
function sideBySide(
  k: Emitter,
  from: readonly Pointer[],
  widths: readonly number[],
  to: Pointer,
): void {
  const { i32, memory } = k.f
  let at = 0
  from.forEach((each, i) => {
    memory.copy(i32.add(to, at), each, k.bytes * widths[i])
    at += k.bytes * widths[i]
  })
}

function elementwise(
  k: Emitter,
  mode: Exclude<MergeKernel['mode'], 'concatenate'>,
  from: readonly Pointer[],
  vectors: number,
  to: Pointer,
): void {
  const { float, local, v128 } = k.f
  const combine = {
    add: float.add,
    average: float.add,
    subtract: float.sub,
    multiply: float.mul,
    divide: float.div,
    maximum: float.max,
    minimum: float.min,
  }[mode]
  const moving = [...from, to].map((each) => pointer(k, each))
  repeat(k, vectors, () => {
    const result: Vector = toLocal(k, v128.load(0, moving[0]))
    for (const other of moving.slice(1, -1)) local.set(result, combine(result, v128.load(0, other)))
    if (mode === 'average') local.set(result, float.div(result, splat(k, from.length)))
    v128.store(0, moving.at(-1)!, result)
    for (const each of moving) advance(k, each, VECTOR)
  })
}
