/**
 * Operator Einsum for two values, as a matrix product: indices of both stay in front, the others
 * are merged.
 */

import type { Op, Operators } from '../op.ts'
import { type Live, liveValue, type Value } from '../values.ts'
import { binary } from './arithmetic.ts'
import { transpose } from './axes.ts'

export const einsum: Operators = { Einsum: (op) => [product(op)] }

function product(op: Op): Value {
  const { graph } = op
  const equation = op.string('equation', '').replaceAll(' ', '')
  const match = /^([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]*)$/.exec(equation)
  const once = (indices: string): boolean => new Set(indices).size === indices.length
  if (match === null || !match.slice(1).every(once) || op.inputs.length !== 2)
    throw graph.unsupported('an Einsum of that kind', { got: equation.slice(0, 60) })
  const [, left, right, out] = match
  const [a, b] = [graph.live(op.input(0)), graph.live(op.input(1))]
  if (a.view.length !== left.length || b.view.length !== right.length)
    throw graph.misfit(`the Einsum ${equation} takes other axes`, a, b)
  const extents = new Map(
    [...left].map((index, axis) => [index, graph.extentsOf(a)[axis]] as const),
  )
  for (const [axis, index] of [...right].entries()) {
    const extent = graph.extentsOf(b)[axis]
    const before = extents.get(index)
    if (before !== undefined && !graph.symbols.unify(before, extent))
      throw graph.misfit(`the index ${index} of the Einsum has two extents`, a, b)
    extents.set(index, extent)
  }
  const all = [...new Set(left + right)]
  const both = all.filter((index) => left.includes(index) && right.includes(index))
  const rows = both.filter((index) => out.includes(index))
  const summed = both.filter((index) => !out.includes(index))
  const ofLeft = [...left].filter((index) => !both.includes(index))
  const ofRight = [...right].filter((index) => !both.includes(index))
  const result = [...rows, ...ofLeft, ...ofRight]
  // An index of one side that is summed away would have to be reduced before.
  if (result.length !== out.length || result.some((index) => !out.includes(index)))
    throw graph.unsupported('an Einsum of that kind', { got: equation })
  const order = [...out].map((index) => result.indexOf(index))
  if (summed.length === 0) {
    const side = (live: Live, own: string): Live => ({
      ...live,
      view: result.map((index) => (own.includes(index) ? live.view[own.indexOf(index)] : [])),
    })
    return transpose(binary(graph, 'multiply', side(a, left), side(b, right)), order, graph.spend)
  }
  const merged = (live: Live, own: string, groups: readonly (readonly string[])[]): string =>
    graph.layOut({
      ...live,
      view: groups.map((indices) => indices.flatMap((index) => live.view[own.indexOf(index)])),
    })
  const single = rows.map((index) => [index])
  const { y } = graph.add(
    { kind: 'matmul' },
    {
      a: merged(a, left, [...single, ofLeft, summed]),
      b: merged(b, right, [...single, summed, ofRight]),
    },
  )
  const value = graph.reshape(
    y,
    result.map((index) => extents.get(index)!),
  )
  return transpose(liveValue(value, result.length), order, graph.spend)
}
