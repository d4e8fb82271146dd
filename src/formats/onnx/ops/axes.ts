/** Puts the axes of a value in another order, drops axes of extent 1 and inserts them. */

import type { Dim } from '../../../model/types.ts'
import { permuteKnown, type Spend } from '../known.ts'
import type { Op } from '../op.ts'
import type { Live, Value } from '../values.ts'

export function transpose(x: Value, order: readonly number[], spend: Spend): Value {
  if (x.kind === 'known') return permuteKnown(x, order, spend)
  if (x.kind === 'live') return { ...x, view: order.map((axis) => x.view[axis]) }
  if (x.kind === 'extents') return x
  const parts = x.parts.map((part) => transpose(part, order, spend) as Live)
  return { kind: 'stack', axis: order.indexOf(x.axis), parts }
}

/** Without axes of extent 1. */
export function dropAxes(op: Op, x: Value, axes: readonly number[]): Value {
  const without = <T>(list: readonly T[]): readonly T[] =>
    list.filter((_, axis) => !axes.includes(axis))
  if (x.kind === 'known')
    return {
      kind: 'known',
      shape: without(x.shape),
      tensor: { ...x.tensor, shape: without(x.tensor.shape) },
    }
  if (x.kind === 'live') return { ...x, view: without(x.view) }
  if (x.kind === 'extents') return { ...x, shape: without(x.shape) }
  if (axes.includes(x.axis)) return dropAxes(op, op.graph.live(x), axes)
  return {
    kind: 'stack',
    axis: x.axis - axes.filter((axis) => axis < x.axis).length,
    parts: x.parts.map((part) => ({ ...part, view: without(part.view) })),
  }
}

/** With axes of extent 1 at these places of the result. */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const sorted = axes.toSorted((a, b) => a - b)
  const within = <T>(list: readonly T[], one: T): readonly T[] =>
    sorted.reduce<readonly T[]>((grown, axis) => grown.toSpliced(axis, 0, one), list)
  if (x.kind === 'known')
    return {
      kind: 'known',
      shape: within<Dim>(x.shape, 1),
      tensor: { ...x.tensor, shape: within(x.tensor.shape, 1) },
    }
  if (x.kind === 'live') return { ...x, view: within<readonly number[]>(x.view, []) }
  if (x.kind === 'extents') return { ...x, shape: within(x.shape, 1) }
  let { axis } = x
  for (const each of sorted) if (each <= axis) axis++
  return {
    kind: 'stack',
    axis,
    parts: x.parts.map((part) => ({ ...part, view: within<readonly number[]>(part.view, []) })),
  }
}
