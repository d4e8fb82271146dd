/** Aligns values whose axes lie differently, for an operator that broadcasts. */

import type { Tensor } from '../../tensor.ts'
import type { Graph } from './graph.ts'
import { mostAxes, permuteKnown, withRank } from './known.ts'
import type { Known, Live, Shape } from './values.ts'

export interface Aligned {
  /** Values of the Model that broadcast with each other as NumPy does it. */
  readonly values: readonly string[]
  readonly view: Live['view']
}

/** @throws GruvError `bad-shape` where the values do not go together. */
export function align(graph: Graph, lives: readonly Live[]): Aligned {
  const rank = mostAxes(lives.map(({ view }) => view))
  const full = lives.map((live): Live => ({ ...live, view: padded(live.view, rank) }))
  agree(graph, full)
  const [first] = full
  const alike = full.every(
    (live) =>
      JSON.stringify(live.view) === JSON.stringify(first.view) &&
      graph.shapeOf(live.value).length === graph.shapeOf(first.value).length,
  )
  if (alike) return { values: full.map(({ value }) => value), view: first.view }

  const base = full.reduce((a, b) => (wide(graph, b) > wide(graph, a) ? b : a))
  const order = graph
    .naturalOrder(base)
    .filter((axis) => full.some(({ view }) => view[axis].length > 0))
  const values = full.map((live) => {
    const from = order.findIndex((axis) => live.view[axis].length > 0)
    return graph.layOut(live, from < 0 ? [] : order.slice(from))
  })
  const view = first.view.map((_, axis) => (order.includes(axis) ? [order.indexOf(axis)] : []))
  return { values, view }
}

function padded(view: Live['view'], rank: number): Live['view'] {
  return [...Array.from({ length: rank - view.length }, () => []), ...view]
}

function wide(graph: Graph, live: Live): number {
  return graph.extentsOf(live).filter((extent) => extent !== 1).length
}

/** All have the same rank here. */
function agree(graph: Graph, lives: readonly Live[]): void {
  const shapes = lives.map((live) => graph.extentsOf(live))
  shapes[0].forEach((_, axis) => {
    const extents = shapes.map((shape) => shape[axis]).filter((extent) => extent !== 1)
    for (const extent of extents) {
      if (!graph.symbols.unify(extents[0], extent))
        throw graph.misfit('these values do not go together', ...lives)
    }
  })
}

/**
 * A known operand as a tensor over the axes of the Model's value beside it; null where that would
 * have to grow for it, or where the numbers lie across axes that ONNX sees as one.
 * @throws GruvError `bad-shape` where they do not go together.
 */
export function besideLive(graph: Graph, live: Live, known: Known): Tensor | null {
  const rank = live.view.length
  if (known.shape.length > rank) return null
  const full = withRank(known, rank)
  const extents = graph.extentsOf(live)
  const grows = full.shape.some((extent, axis) => {
    if (extent === 1) return false
    if (extents[axis] === 1) return true
    if (!graph.symbols.unify(extents[axis], extent))
      throw graph.misfit('these values do not go together', live, known)
    return false
  })
  const { tensor } = full
  const across = live.view.some((axes, axis) => axes.length > 1 && tensor.shape[axis] > 1)
  if (grows || across) return null
  const stored = live.view.flatMap((axes, axis) => (axes.length === 1 ? [axis] : []))
  const order = stored.toSorted((a, b) => live.view[a][0] - live.view[b][0])
  const others = live.view.flatMap((axes, axis) => (axes.length === 1 ? [] : [axis]))
  const turned = permuteKnown(
    { ...full, shape: tensor.shape },
    [...order, ...others],
    graph.spend,
  ).tensor
  const shape = graph.shapeOf(live.value).map((_, place) => {
    const axis = order.find((each) => live.view[each][0] === place)
    return axis === undefined ? 1 : tensor.shape[axis]
  })
  return { ...turned, shape }
}

/** Whether numbers differ along the last axis only: one vector, or one number, for all. */
export function isVector(shape: Shape): boolean {
  return shape.slice(0, -1).every((extent) => extent === 1)
}
