/** Masking in WebAssembly: which steps count, and zeros where they do not. */

import type { MaskingKernel } from '../../plan/kernels.ts'
import { eachVector } from './across.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { splat, toLocal } from './emitter.ts'
import { writeVectorLayer } from './loop-nest.ts'

export function writeMasking(
  context: CodegenContext,
  kernel: MaskingKernel,
  entry: Entry,
): Routine {
  const { kind, width, value } = kernel
  const values = [kernel.x, kernel.y, kernel.mask].filter((value) => value >= 0)
  const layer = context.func(
    kind,
    (k, x, y, mask) => {
      const { float, i32, i32x4, local, v128 } = k.f
      const differs = toLocal(k, splat(k, 0))
      eachVector(k, x, width, value, (a) =>
        local.set(differs, v128.or(float.ne(a, splat(k, value)), differs)),
      )
      const counts = toLocal(k, i32x4.splat(i32.sub(0, v128.any_true(differs))))
      const way = local('i32')
      local.set(way, i32.sub(y, x))
      eachVector(k, x, width, 0, (a, place) =>
        v128.store(0, i32.add(place, way), v128.and(a, counts)),
      )
      if (mask) v128.store(0, mask, v128.and(splat(k, 1), counts))
    },
    values.length,
  )
  return writeVectorLayer(context, kind, values, layer, entry)
}
