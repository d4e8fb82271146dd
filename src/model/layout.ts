/**
 * Takes layout out of a graph: a reshape or transpose that only moves or drops extents of one is no
 * work, but another view of the same numbers. Views end in the axes of ports; a node stays where a
 * layer needs its input in a form that no port can give.
 */

import type { Named, Tensor } from '../tensor.ts'
import type { GraphParts } from './assemble.ts'
import { valueShapes } from './graph.ts'
import type {
  Dim,
  LayerKind,
  LayerNode,
  NodeOf,
  Port,
  ReshapeNode,
  TransposeNode,
} from './types.ts'

type Shape = readonly Dim[]
type Draft = Pick<GraphParts, 'inputs' | 'nodes' | 'outputs'>

/** Axis i of what is seen is axis `axes[i]` of the value; −1 is an extent of one. */
interface View {
  readonly value: string
  readonly axes: readonly number[]
}

/** For each input that lies otherwise than its port: axis i of the value is axis `axes[i]` of the port's. */
type Layouts = ReadonlyMap<string, readonly number[]>

/** The same graph, in which values lie as the layers need them, and ports say how callers see them. */
export function withoutLayout<D extends Draft>(draft: D): D {
  if (!draft.nodes.some(({ kind }) => kind === 'reshape' || kind === 'transpose')) return draft
  const seen = valueShapes(draft.inputs, draft.nodes)
  const asGiven = new Rewriting(draft, seen, new Map())
  const layouts = asGiven.layouts()
  const best = layouts.size === 0 ? asGiven : new Rewriting(draft, seen, layouts)
  return { ...draft, ...best.result() }
}

/** One walk through the graph, in the order of its nodes. */
class Rewriting {
  private readonly draft: Draft
  /** The shapes of all values of the graph as it was. */
  private readonly seen: ReadonlyMap<string, Shape>
  private readonly inputs: Layouts
  /** Of each value of the graph as it was. */
  private readonly views = new Map<string, View>()
  /** The shapes of the values as they lie now. */
  private readonly shapes = new Map<string, Shape>()
  /** The inputs that a value lies like, whatever layers are between. */
  private readonly roots = new Map<string, readonly string[]>()
  private readonly nodes: LayerNode[] = []
  /** Values that nodes lay out anew, by their view. */
  private readonly laid = new Map<string, string>()
  private readonly taken: Set<string>
  /** The layouts in which layers need an input. */
  private readonly needs = new Map<string, Map<string, readonly number[]>>()

  constructor(draft: Draft, seen: ReadonlyMap<string, Shape>, inputs: Layouts) {
    this.draft = draft
    this.seen = seen
    this.inputs = inputs
    this.taken = new Set([...seen.keys(), ...draft.nodes.map(({ name }) => name)])
    for (const { name } of draft.inputs) {
      const shape = seen.get(name)!
      const axes = inputs.get(name) ?? allOf(shape)
      const lying = axes.map((axis) => shape[axis] ?? 1)
      const view = shape.map((_, axis) => axes.indexOf(axis))
      this.know(name, lying, view, [name])
    }
    for (const node of draft.nodes) if (!this.moves(node)) this.keep(node)
  }

  /** Inputs that no layer needs as they lie, and how the first layer needs them. */
  layouts(): Layouts {
    const given = ([name, needs]: readonly [string, ReadonlyMap<string, unknown>]): boolean =>
      needs.has(`${allOf(this.seen.get(name)!)}`)
    return new Map(
      [...this.needs]
        .filter((entry) => !given(entry))
        .map(([name, needs]) => [name, [...needs.values()][0]]),
    )
  }

  result(): Draft {
    const names = new Set(this.draft.inputs.map(({ name }) => name))
    const outputs = this.draft.outputs.map((port) => {
      const seen = this.seen.get(port.value)!
      const { value, axes } = this.views.get(port.value)!
      const lying = this.shapes.get(value)!
      // What only passes through keeps a node: the graph of a model has one.
      if (isWhole(axes, lying) || names.has(value))
        return { ...port, value: this.asSeen(port.value, false) }
      const order = port.axes ?? allOf(seen)
      const shape = (port.shape ?? order).map((_, axis) => seen[order.indexOf(axis)] ?? 1)
      const laid = lying.map((_, axis) => order[axes.indexOf(axis)] ?? -1)
      return { ...port, value, shape, axes: laid }
    })
    const inputs = this.draft.inputs.map((port): Port => {
      const order = port.axes ?? allOf(port.shape)
      const axes = this.inputs.get(port.name)?.map((axis) => order[axis] ?? -1)
      return axes === undefined ? port : { ...port, axes }
    })
    return { inputs, nodes: this.nodes, outputs }
  }

  private know(name: string, shape: Shape, axes: View['axes'], roots: readonly string[]): void {
    this.views.set(name, { value: name, axes })
    this.shapes.set(name, shape)
    this.roots.set(name, roots)
  }

  /** Takes a node that only moves axes as a view. */
  private moves(node: LayerNode): boolean {
    if (node.kind !== 'reshape' && node.kind !== 'transpose') return false
    const order =
      node.kind === 'transpose'
        ? node.axes
        : regrouped(this.seen.get(node.inputs.x)!, this.seen.get(node.outputs.y)!)
    if (order === null) return false
    const { value, axes } = this.views.get(node.inputs.x)!
    this.views.set(node.outputs.y, { value, axes: order.map((axis) => axes[axis] ?? -1) })
    return true
  }

  private keep(node: LayerNode): void {
    const views = Object.values(node.inputs).map((value) => this.views.get(value)!)
    const how = alongOf(node)
    const alike = views.every(
      ({ value, axes }) =>
        `${axes}` === `${views[0].axes}` &&
        this.shapes.get(value)!.length === this.shapes.get(views[0].value)!.length,
    )
    if (how !== null && views.length > 0 && alike && this.isLaidFor(how, views[0])) {
      const [{ value, axes }] = views
      this.nodes.push(wired(node, (each) => this.views.get(each)!.value))
      const roots = views.flatMap((view) => this.roots.get(view.value)!)
      for (const name of Object.values(node.outputs)) {
        const shape = this.seen.get(name)!
        const lying = this.shapes.get(value)!.map((_, axis) => shape[axes.indexOf(axis)] ?? 1)
        this.know(name, lying, axes, roots)
      }
      return
    }
    // Of values that lie differently, none needs to lie as it is seen.
    const needed = how === null || alike
    this.nodes.push(wired(node, (each) => this.asSeen(each, needed)))
    for (const name of Object.values(node.outputs)) {
      const shape = this.seen.get(name)!
      this.know(name, shape, allOf(shape), [])
    }
  }

  /** Whether a layer that takes vectors can run on a value as it lies. */
  private isLaidFor(how: Along, { value, axes }: View): boolean {
    const { length } = this.shapes.get(value)!
    const ordered = rises(axes.filter((axis) => axis >= 0))
    // Frames hold vectors: of rows, or of the steps of rows.
    const inFrames = length <= 3 || axes.length > 3
    return ordered && inFrames && (how === 'any' || axes.at(-1) === length - 1)
  }

  /** A value with exactly the axes that the graph had; by nodes, where it does not lie so. */
  private asSeen(name: string, needed: boolean): string {
    const { value, axes } = this.views.get(name)!
    const lying = this.shapes.get(value)!
    if (needed) {
      for (const root of this.roots.get(value)!) {
        const needs = this.needs.get(root) ?? new Map<string, readonly number[]>()
        this.needs.set(root, needs.set(`${axes}`, axes))
      }
    }
    if (isWhole(axes, lying)) return value
    const key = `${value} ${axes}`
    const before = this.laid.get(key)
    if (before !== undefined) return before
    const named = axes.filter((axis) => axis >= 0)
    const order = [...named, ...allOf(lying).filter((axis) => !named.includes(axis))]
    const turned = rises(named)
      ? value
      : this.added(
          name,
          value,
          { kind: 'transpose', axes: order },
          order.map((axis) => lying[axis]),
        )
    const shape = this.seen.get(name)!
    // An expression becomes −1, the extent that the others leave over.
    const open = shape.findIndex((extent) => /[()·⌊[]/.test(`${extent}`))
    const target = open < 0 ? shape : shape.with(open, -1)
    const laid =
      String(this.shapes.get(turned)) === String(shape)
        ? turned
        : this.added(name, turned, { kind: 'reshape', shape: target }, shape)
    this.laid.set(key, laid)
    return laid
  }

  private added(
    name: string,
    x: string,
    move: Pick<ReshapeNode, 'kind' | 'shape'> | Pick<TransposeNode, 'kind' | 'axes'>,
    shape: Shape,
  ): string {
    const maker = this.draft.nodes.find(({ outputs }) => Object.values(outputs).includes(name))
    const stem = maker?.name ?? name
    const node = this.unique(`${stem}.${move.kind}`)
    const y = this.unique(`${node}.y`)
    this.nodes.push({ ...move, name: node, inputs: { x }, outputs: { y }, conventions: [] })
    this.shapes.set(y, shape)
    return y
  }

  private unique(stem: string): string {
    let name = stem
    for (let i = 1; this.taken.has(name); i++) name = `${stem}_${i}`
    this.taken.add(name)
    return name
  }
}

function allOf(shape: Shape): readonly number[] {
  return shape.map((_, axis) => axis)
}

function isWhole(axes: readonly number[], shape: Shape): boolean {
  return axes.length === shape.length && axes.every((axis, i) => axis === i)
}

function rises(axes: readonly number[]): boolean {
  return axes.every((axis, i) => i === 0 || axis > axes[i - 1])
}

function wired(node: LayerNode, value: (name: string) => string): LayerNode {
  const inputs: Named<string> = Object.fromEntries(
    Object.entries(node.inputs).map(([port, name]) => [port, value(name)]),
  )
  return { ...node, inputs } as LayerNode
}

/**
 * Which axis of a shape each axis of another one is, where both differ in extents of one only; null
 * where they differ in more.
 */
function regrouped(from: Shape, to: Shape): readonly number[] | null {
  const [wide, wideTo] = [from, to].map((shape) =>
    shape.flatMap((extent, axis) => (extent === 1 ? [] : [axis])),
  )
  const same =
    wide.length === wideTo.length && wide.every((axis, i) => from[axis] === to[wideTo[i]])
  if (!same) return null
  const order = to.map(() => -1)
  const bounds = [...wide, from.length]
  let [start, startTo] = [0, 0]
  ;[...wideTo, to.length].forEach((end, i) => {
    // Extents of one stay beside the wider one behind them.
    const ones = Math.min(end - startTo, bounds[i] - start)
    for (let back = 1; back <= ones; back++) order[end - back] = bounds[i] - back
    if (end < to.length) order[end] = bounds[i]
    ;[start, startTo] = [bounds[i] + 1, end + 1]
  })
  return order
}

/** Element by element, or vector by vector along the last axis. */
type Along = 'any' | 'last'

/** Of the layers to which no axis but the last means anything. */
const along: { readonly [K in LayerKind]?: (node: NodeOf<K>) => Along | null } = {
  activation: ({ activation }) => (activation.kind === 'softmax' ? 'last' : 'any'),
  merge: ({ mode }) => (mode === 'concatenate' ? 'last' : 'any'),
  affine: ({ weights: { scale, shift } }) => (isOne(scale) && isOne(shift) ? 'any' : 'last'),
  prelu: ({ weights }) => (isOne(weights.alpha) ? 'any' : 'last'),
  dense: () => 'last',
  batchNorm: () => 'last',
  layerNorm: ({ axes }) => (axes === 1 ? 'last' : null),
}

function alongOf(node: LayerNode): Along | null {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const row = along[node.kind] as ((node: LayerNode) => Along | null) | undefined
  return row?.(node) ?? null
}

function isOne(tensor: Tensor | null): boolean {
  return tensor === null || tensor.data.length === 1
}
