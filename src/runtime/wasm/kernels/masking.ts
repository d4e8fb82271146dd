/** Masking in WebAssembly: which steps count, and zeros where they do not. */

import type { MaskingKernel } from '../../layers/masking.ts'
import { eachVector } from './across.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import { all, hold, writing } from './lanes.ts'
import { writeVectorLayer } from './over-frame.ts'

export function writeMasking(site: Site, kernel: MaskingKernel): KernelFuncs {
  const { module, target } = site
  const { node, width, value, x: xValue, y: yValue } = kernel
  const masks = kernel.mask < 0 ? [] : [kernel.mask]
  const values = [xValue, yValue, ...masks]
  const params = values.map(() => 'i32' as const)
  const layer = module.func({ name: node, params }, (f, x, y, mask) => {
    const k = writing(target, f)
    const { float, i32, i32x4, local, v128 } = k.f
    const differs = hold(k, all(k, 0))
    eachVector(k, x, width, value, (a) =>
      local.set(differs, v128.or(float.ne(a, all(k, value)), differs)),
    )
    const counts = hold(k, i32x4.splat(i32.sub(0, v128.any_true(differs))))
    const way = f.local('i32')
    local.set(way, i32.sub(y, x))
    eachVector(k, x, width, 0, (a, place) =>
      v128.store(0, i32.add(place, way), v128.and(a, counts)),
    )
    if (masks.length > 0) v128.store(0, mask, v128.and(all(k, 1), counts))
  })
  return writeVectorLayer(site, node, values, layer)
}
