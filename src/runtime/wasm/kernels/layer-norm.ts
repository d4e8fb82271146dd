/** Layer normalisation in WebAssembly, in the order of `js/layer-norm.ts`. */

import type { LayerNormKernel } from '../../plan/kernels.ts'
import { acrossLanes, eachVector, fourLanes } from './across.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { address, advance, madd, splat, toLocal, VECTOR, type Vector } from './emitter.ts'
import { writeMap } from './map.ts'

export function writeLayerNorm(
  context: CodegenContext,
  kernel: LayerNormKernel,
  entry: Entry,
): Routine {
  const { width, lanes, weights, epsilon } = kernel
  return writeMap(context, kernel, entry, (k, x, y) => {
    const { float, i32, local, v128 } = k.f
    const share = (sums: readonly Vector[]): Vector => {
      const sum = acrossLanes(k, sums, float.add)
      return toLocal(k, float.div(sum, splat(k, width)))
    }

    const sums = fourLanes(k, 0)
    eachVector(k, x, width, 0, (a, _, part) => local.set(sums[part], float.add(sums[part], a)))
    const mean = share(sums)

    const squares = fourLanes(k, 0)
    const way = local('i32')
    local.set(way, i32.sub(y, x))
    eachVector(k, x, width, 0, (a, place) => {
      const d = toLocal(k, float.sub(a, mean))
      v128.store(0, i32.add(place, way), d)
    })
    // Lanes that are no units become 0 again here, and add nothing.
    eachVector(k, y, width, 0, (d, _, part) =>
      local.set(squares[part], madd(k, d, d, squares[part])),
    )
    const variance = share(squares)
    const deviation = toLocal(k, float.sqrt(float.add(variance, splat(k, epsilon))))

    const [gamma, beta] = [address(k, weights), address(k, weights + lanes)]
    eachVector(k, y, width, 0, (d, place) => {
      const normal = toLocal(k, float.div(d, deviation))
      const end = toLocal(k, v128.load(0, beta))
      v128.store(0, place, madd(k, normal, v128.load(0, gamma), end))
      advance(k, gamma, VECTOR)
      advance(k, beta, VECTOR)
    })
  })
}
