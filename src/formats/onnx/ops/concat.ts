/** Operators Concat and Pad: other values beside a value, or padding around it. */

import { besideLive } from '../align.ts'
import type { Graph } from '../graph.ts'
import { concatKnown } from '../known.ts'
import type { Op, Operators } from '../op.ts'
import { extents, type Live, type Value } from '../values.ts'
import { entriesOf } from './arithmetic.ts'
import { part } from './slice.ts'

export const joining: Operators = {
  Concat: (op) => {
    const values = op.inputs.map((_, i) => op.input(i))
    const rank = op.graph.extentsOf(op.input(0)).length
    return [concat(op, values, op.axis(op.int('axis', 1), rank))]
  },
  Pad: (op) => [pad(op)],
}

export function concat(op: Op, values: readonly Value[], axis: number): Value {
  const { graph } = op
  if (values.length === 1) return values[0]
  graph.spend(values.length)
  if (values.some(({ kind }) => kind === 'extents')) {
    const lists = values.map((value) => entriesOf(value)?.entries)
    if (lists.every((list) => list !== undefined)) {
      graph.spend(lists.reduce((sum, list) => sum + list.length, 0))
      const entries = lists.flat()
      return extents([entries.length], entries)
    }
  }
  if (values.every((value) => value.kind === 'known')) {
    const result = concatKnown(values, axis, graph.spend)
    if (result !== null) return result
  }
  agree(graph, values, axis)
  const lives = values.flatMap((value) => (value.kind === 'live' ? [value] : []))
  if (lives.length === values.length && lives.every(({ view }) => view[axis].length === 0))
    return { kind: 'stack', axis, parts: lives }
  const base = lives[0] ?? graph.live(values[0])
  const sides = values.map((value) => sideBySide(graph, value, base, axis))
  const alike = sides.every(
    (side): side is Live =>
      side !== null && JSON.stringify(side.view) === JSON.stringify(sides[0]?.view),
  )
  if (alike && base.view[axis].length === 1) {
    const place = base.view[axis][0]
    return {
      ...base,
      value: joined(
        graph,
        sides.map(({ value }) => value),
        place,
      ),
    }
  }
  const order = graph.naturalOrder(base)
  const laid = values.map((value) => graph.layOut(graph.live(value), order))
  const view = order.map((_, each) => [order.indexOf(each)])
  return { ...base, value: joined(graph, laid, order.indexOf(axis)), view }
}

/** A value as one laid out like the first; null where that takes reordering. */
function sideBySide(graph: Graph, value: Value, base: Live, axis: number): Live | null {
  const rank = graph.shapeOf(base.value).length
  if (value.kind === 'live') return graph.shapeOf(value.value).length === rank ? value : null
  if (value.kind !== 'known' || base.view[axis].length !== 1) return null
  // The extent along the axis does not matter: it is not compared.
  const narrow = part(graph, base, axis, { start: 0, end: 1, step: 1 }) as Live
  if (graph.extentsOf(narrow)[axis] !== graph.extentsOf(value)[axis]) return null
  const tensor = besideLive(graph, narrow, value)
  if (tensor === null || String(tensor.shape) !== String(graph.shapeOf(narrow.value))) return null
  const { y } = graph.add({ kind: 'constant', weights: { value: tensor } }, {})
  return { ...base, value: y }
}

function joined(graph: Graph, values: readonly string[], axis: number): string {
  const inputs = Object.fromEntries(values.map((value, i) => [`${i}`, value]))
  const last = graph.shapeOf(values[0]).length - 1
  return graph.add(
    axis === last ? { kind: 'merge', mode: 'concatenate' } : { kind: 'concat', axis },
    inputs,
  ).y
}

function agree(graph: Graph, values: readonly Value[], axis: number): void {
  const [first, ...rest] = values.map((value) => graph.extentsOf(value))
  for (const shape of rest) {
    const fits =
      shape.length === first.length &&
      shape.every((extent, each) => each === axis || graph.symbols.unify(extent, first[each]))
    if (!fits) throw graph.misfit('these values do not go together', ...values.slice(0, 4))
  }
}

function pad(op: Op): Value {
  const { graph } = op
  const x = graph.live(op.input(0))
  const rank = x.view.length
  const pads = op.list('pads', 1) ?? []
  const value = op.opset < 11 ? op.float('value', 0) : (op.number(2, 'constant_value') ?? 0)
  const axes = op.axes(
    op.inputs[3] === undefined
      ? Array.from({ length: rank }, (_, axis) => axis)
      : (op.list('axes', 3) ?? []),
    rank,
  )
  const mode = op.string('mode', 'constant')
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'edge')
    throw graph.unsupported(`Pad with mode ${mode}`)
  if (pads.length !== 2 * axes.length)
    throw op.wrong('pads', `${2 * axes.length} numbers`, `${pads.length}`)
  const at = (axis: number, side: number): number =>
    axes.includes(axis) ? pads[axes.indexOf(axis) + side * axes.length] : 0
  const touched = axes.filter((axis) => at(axis, 0) !== 0 || at(axis, 1) !== 0)
  if (touched.length === 0) return x
  const direct = touched.every((axis) => x.view[axis].length === 1)
  const live = direct ? x : graph.reordered(x, graph.naturalOrder(x))
  const places = graph.shapeOf(live.value).map((_, place) => {
    const axis = touched.find((each) => live.view[each][0] === place)
    return {
      before: axis === undefined ? 0 : at(axis, 0),
      after: axis === undefined ? 0 : at(axis, 1),
    }
  })
  return { ...live, value: graph.apply({ kind: 'pad', mode, value, pads: places }, live.value) }
}
