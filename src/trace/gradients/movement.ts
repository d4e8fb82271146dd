/**
 * The chain rule through layers that move numbers without changing them: slices, concatenations,
 * repetitions. Running the layer on indices finds where each number came from, and the derivative
 * goes back there.
 */

import type { NodeOf } from '../../model/types.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { forward } from './forward.ts'

type Mover = NodeOf<'expand' | 'slice' | 'concat' | 'pad' | 'gather' | 'where'>

/** Ports that select, and whose numbers are not moved. */
const choosing: ReadonlySet<string> = new Set(['indices', 'condition'])

export function pullMovement(node: Mover, inputs: Named<Tensor>, bar: Tensor): Named<Tensor> {
  // Indices start at 1: 0 is the value of a pad.
  let next = 1
  const first = new Map<string, number>()
  const places = Object.entries(inputs).map(([port, tensor]) => {
    if (choosing.has(port)) return [port, tensor] as const
    first.set(port, next)
    const { shape } = tensor
    const data = Float64Array.from({ length: sizeOf(shape) }, () => next++)
    return [port, { shape, data }] as const
  })
  const { y } = forward(onPlaces(node, bar.shape), Object.fromEntries(places))
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
