/** Values into one, or side by side, in WebAssembly, in the order of `js/merge.ts`. */

import type { MergeKernel } from '../../js/merge.ts'
import { LANES, padded } from '../../plan.ts'
import type { Local } from '../assembler.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import {
  advance,
  all,
  hold,
  type Lanes,
  type Pointer,
  pointer,
  repeat,
  type Vector,
} from './lanes.ts'
import { VECTOR, writeOverFrame } from './vector-map.ts'

export function writeMerge(site: Site, kernel: MergeKernel): KernelFuncs {
  const { module, target } = site
  const { node, mode, inputs, widths, y } = kernel
  const total = mode === 'concatenate' ? widths.reduce((a, b) => a + b, 0) : widths[0]
  const ports = [
    ...inputs.map((value, i) => ({ value, width: widths[i] })),
    { value: y, width: total },
  ]
  const params = ports.map(() => 'i32' as const)
  const layer = module.func({ name: node, params }, (f, ...pointers: Local<'i32'>[]) => {
    const k: Lanes = { ...target, f }
    const from = pointers.slice(0, -1)
    const to = pointers.at(-1)!
    if (mode === 'concatenate') sideBySide(k, from, widths, to)
    else elementwise(k, mode, from, padded(total) / LANES, to)
  })
  return writeOverFrame(site, kernel, ports, layer)
}

/** To the byte: what lies behind a vector may be another value. */
function sideBySide(
  k: Lanes,
  from: readonly Pointer[],
  widths: readonly number[],
  to: Pointer,
): void {
  const { i32, memory } = k.f
  let bytes = 0
  from.forEach((each, i) => {
    memory.copy(i32.add(to, bytes), each, 4 * widths[i])
    bytes += 4 * widths[i]
  })
}

function elementwise(
  k: Lanes,
  mode: Exclude<MergeKernel['mode'], 'concatenate'>,
  from: readonly Pointer[],
  vectors: number,
  to: Pointer,
): void {
  const { f32x4, local, v128 } = k.f
  const combine = {
    add: f32x4.add,
    average: f32x4.add,
    subtract: f32x4.sub,
    multiply: f32x4.mul,
    divide: f32x4.div,
    maximum: f32x4.max,
    minimum: f32x4.min,
  }[mode]
  const moving = [...from, to].map((each) => pointer(k, each))
  repeat(k, vectors, () => {
    const result: Vector = hold(k, v128.load(0, moving[0]))
    for (const other of moving.slice(1, -1)) local.set(result, combine(result, v128.load(0, other)))
    if (mode === 'average') local.set(result, f32x4.div(result, all(k, from.length)))
    v128.store(0, moving.at(-1)!, result)
    for (const each of moving) advance(k, each, VECTOR)
  })
}
