/** Masking in WebAssembly: which steps count, and zeros where they do not. */

import type { MaskingKernel } from '../../layers/masking.ts'
import { eachVector } from './across.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { all, hold } from './lanes.ts'
import { writeVectorLayer } from './over-frame.ts'

export function writeMasking(site: Site, kernel: MaskingKernel, entry: Entry): Routine {
  const { kind, width, value } = kernel
  const values = [kernel.x, kernel.y, kernel.mask].filter((value) => value >= 0)
  const layer = site.func(
    kind,
    (k, x, y, mask) => {
      const { float, i32, i32x4, local, v128 } = k.f
      const differs = hold(k, all(k, 0))
      eachVector(k, x, width, value, (a) =>
        local.set(differs, v128.or(float.ne(a, all(k, value)), differs)),
      )
      const counts = hold(k, i32x4.splat(i32.sub(0, v128.any_true(differs))))
      const way = local('i32')
      local.set(way, i32.sub(y, x))
      eachVector(k, x, width, 0, (a, place) =>
        v128.store(0, i32.add(place, way), v128.and(a, counts)),
      )
      if (mask) v128.store(0, mask, v128.and(all(k, 1), counts))
    },
    values.length,
  )
  return writeVectorLayer(site, kind, values, layer, entry)
}
