/**
 * Layers that move numbers and change none: cutting, joining, repeating, turning. Where a number
 * came from is found by running the layer on the places themselves; the derivative goes back there.
 */

import type { Dim, NodeOf } from '../../model/types.ts'
import { runTensorLayer } from '../../runtime/tensor/index.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'

type Mover = NodeOf<'expand' | 'slice' | 'concat' | 'pad' | 'gather' | 'where'>

/** Ports that choose, and are not moved. */
const choosing: ReadonlySet<string> = new Set(['indices', 'condition'])

export function pullMovement(node: Mover, inputs: Named<Tensor>, bar: Tensor): Named<Tensor> {
  // Places count from 1: 0 is what a pad puts in.
  let next = 1
  const first = new Map<string, number>()
  const places = Object.entries(inputs).map(([port, tensor]) => {
    if (choosing.has(port)) return [port, tensor] as const
    first.set(port, next)
    const { shape } = tensor
    const data = Float64Array.from({ length: sizeOf(shape) }, () => next++)
    return [port, { shape, data }] as const
  })
  const { y } = runTensorLayer(onPlaces(node, bar.shape), Object.fromEntries(places), { extent })
  const all = new Float64Array(next)
  bar.data.forEach((each, i) => {
    all[y.data[i]] += each
  })
  return Object.fromEntries(
    [...first].map(([port, from]) => {
      const { shape } = inputs[port]
      return [port, { shape, data: all.subarray(from, from + sizeOf(shape)) }]
    }),
  )
}

function onPlaces(node: Mover, shape: readonly number[]): Mover {
  if (node.kind === 'expand') return { ...node, shape }
  return node.kind === 'pad' ? { ...node, value: 0 } : node
}

/** No symbol is left: shapes are those of a run. */
function extent(dim: Dim): number {
  return Number(dim)
}
