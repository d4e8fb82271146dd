/** Vectors that follow each other in another way, in WebAssembly. */

import type { Func } from '../assembler.ts'
import type { Site } from './kernel.ts'
import { advance, pointer, repeatFor, VECTOR, writing } from './lanes.ts'

/** (to, from one to the next there, from, from one to the next here, count): see `Engine.space`. */
export function writeSpace({ module, target }: Site): Func<readonly 'i32'[], undefined> {
  return module.func(
    { name: 'space', params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, to, toStride, from, fromStride, count) => {
      const k = writing(target, f)
      const { i32, local, v128 } = f
      const end = pointer(k, toStride)
      f.if(i32.lt_u(end, fromStride), () => local.set(end, fromStride))
      repeatFor(k, count, () => {
        const [here, there, left] = [to, from, end].map((each) => pointer(k, each))
        f.loop((next) => {
          v128.store(0, here, v128.load(0, there))
          for (const each of [here, there]) advance(k, each, VECTOR)
          f.br_if(next, local.tee(left, i32.sub(left, VECTOR)))
        })
        local.set(to, i32.add(to, toStride))
        local.set(from, i32.add(from, fromStride))
      })
    },
  )
}
