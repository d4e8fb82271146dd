/** Writes the copy of vectors that lie apart to where they lie further apart, or closer. */

import type { CodegenContext, Routine } from './context.ts'
import { advance, pointer, repeatFor, VECTOR } from './emitter.ts'

/** (to, toStride, from, fromStride, count), in bytes: `Engine.repack`. */
export function writeRepack({ func }: CodegenContext): Routine {
  return func('space', (k, to, toStride, from, fromStride, count) => {
    const { i32, local, v128 } = k.f
    const width = pointer(k, toStride)
    k.f.if(i32.lt_u(width, fromStride), () => local.set(width, fromStride))
    repeatFor(k, count, () => {
      const [here, there, left] = [to, from, width].map((each) => pointer(k, each))
      k.f.loop((next) => {
        v128.store(0, here, v128.load(0, there))
        for (const each of [here, there]) advance(k, each, VECTOR)
        k.f.br_if(next, local.tee(left, i32.sub(left, VECTOR)))
      })
      local.set(to, i32.add(to, toStride))
      local.set(from, i32.add(from, fromStride))
    })
  })
}
