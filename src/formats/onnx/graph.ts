/**
 * Builds the Model's graph: adds nodes, keeps the shapes of values, reorders axes.
 */

import { GruvError } from '../../errors.ts'
import type { Budget } from '../../limits.ts'
import { outputShapes } from '../../model/layers.ts'
import { product } from '../../model/shapes/dims.ts'
import type { LayerNode, NodeOf, Port, Unwired } from '../../model/types.ts'
import { type Named, showShape } from '../../tensor.ts'
import { materialize, uniform } from './known.ts'
import type { Symbols } from './symbols.ts'
import {
  checkedExtents,
  type Extents,
  type Known,
  type Live,
  liveValue,
  type Shape,
  type Stack,
  type Value,
  viewedShape,
} from './values.ts'

/** A node before it has a name. */
export type Nameless<K extends LayerNode['kind'] = LayerNode['kind']> = K extends LayerNode['kind']
  ? Omit<NodeOf<K>, 'name' | 'inputs' | 'outputs' | 'conventions'>
  : never

export class Graph {
  readonly nodes: LayerNode[] = []
  readonly warnings = new Set<string>()
  readonly symbols: Symbols
  /** The current ONNX node: new nodes are named after it. */
  where = ''
  private readonly shapes = new Map<string, Shape>()
  private readonly makers = new Map<string, LayerNode>()
  /** Names that are taken, and how often each was asked for. */
  private readonly names = new Map<string, number>()
  private readonly made = new Map<string, string>()
  readonly budget: Budget

  constructor(inputs: readonly Port[], symbols: Symbols, budget: Budget) {
    this.symbols = symbols
    this.budget = budget
    for (const { name, shape } of inputs) this.shapes.set(name, shape)
  }

  /** Before constant folding makes so many numbers. */
  readonly spend = (elements: number): void => this.budget.spend('elements', elements, this.where)

  /** The extents of a value of the Model. */
  shapeOf(value: string): Shape {
    return this.shapes.get(value)!
  }

  /** Which node makes a value; undefined for inputs. */
  makerOf(value: string): LayerNode | undefined {
    return this.makers.get(value)
  }

  /** The extents of a value of ONNX. */
  extentsOf(value: Value): Shape {
    if (value.kind === 'live') return viewedShape(value, this.shapeOf(value.value))
    if (value.kind !== 'stack') return value.shape
    return this.extentsOf(value.parts[0]).with(value.axis, value.parts.length)
  }

  /**
   * Adds a node. @returns the values at its output ports, by port.
   * @throws GruvError `bad-shape` naming the node.
   */
  add(
    node: Unwired | Nameless,
    inputs: Named<string>,
    ports: readonly string[] = ['y'],
  ): Named<string> {
    const name = this.unique('name' in node ? node.name : this.where || node.kind)
    const outputs = Object.fromEntries(ports.map((port) => [port, this.unique(`${name}.${port}`)]))
    // What `Unwired` leaves out is added here; TypeScript cannot put it back into each of the
    // union.
    const whole = { conventions: [], ...node, name, inputs, outputs } as unknown as LayerNode
    const arriving = Object.fromEntries(
      Object.entries(inputs).map(([port, value]) => [port, this.shapeOf(value)]),
    )
    const leaving = outputShapes(whole, arriving)
    for (const port of ports) {
      this.shapes.set(outputs[port], checkedExtents(name, leaving[port]))
      this.makers.set(outputs[port], whole)
    }
    this.nodes.push(whole)
    this.budget.check('nodes', this.nodes.length, name)
    return outputs
  }

  /** Adds a node of one input `x` and one output, once: the same again gives the same value. */
  apply(node: Nameless, x: string): string {
    const key = `${x} ${JSON.stringify(node)}`
    const before = this.made.get(key)
    if (before !== undefined) return before
    const { y } = this.add(node, { x })
    this.made.set(key, y)
    return y
  }

  private unique(stem: string): string {
    let count = this.names.get(stem) ?? 0
    let name = count === 0 ? stem : `${stem}_${count}`
    while (this.names.has(name) || this.shapes.has(name)) name = `${stem}_${++count}`
    this.names.set(stem, count)
    this.names.set(name, this.names.get(name) ?? 0)
    return name
  }

  /** Any value as one of the Model. @throws GruvError `unsupported` for several extents. */
  live(value: Value): Live {
    if (value.kind === 'live') return value
    if (value.kind === 'stack') return this.unstacked(value)
    if (value.kind === 'known') return this.constant(value)
    return this.counted(value)
  }

  /** A known value as a node, expanded where extents depend on the inputs. */
  private constant(value: Known): Live {
    const { shape, tensor } = value
    this.budget.spend('operations', tensor.data.length, this.where)
    const type = tensor.dtype === 'bool' ? 'bool' : isInteger(value) ? 'int' : 'float'
    const numeric = shape.every((extent) => typeof extent === 'number')
    const small = numeric && uniform(value) === null
    const { y } = this.add(
      { kind: 'constant', weights: { value: small ? materialize(value, this.spend) : tensor } },
      {},
    )
    const whole = this.shapeOf(y).every((extent, axis) => extent === shape[axis])
    const expanded = whole ? y : this.apply({ kind: 'expand', shape }, y)
    return liveValue(expanded, shape.length, type)
  }

  /** An extent as a number: the sum of that many ones. */
  private counted({ shape, entries }: Extents): Live {
    if (entries.length !== 1) {
      throw this.unsupported('the sizes of inputs are used as numbers here', {
        got: showShape(entries),
        fix: 'Export the model with fixed extents.',
      })
    }
    const one = { shape: [1], data: Float64Array.of(1) }
    const { y } = this.add({ kind: 'constant', weights: { value: one } }, {})
    const ones = this.apply({ kind: 'expand', shape: entries }, y)
    const keepAxes = shape.length === 1
    const sum = this.apply({ kind: 'reduce', op: 'sum', axes: [0], keepAxes }, ones)
    return liveValue(sum, shape.length, 'int')
  }

  private unstacked({ axis, parts }: Stack): Live {
    const rank = parts[0].view.length
    // The order in which the first part already lies, the new axis where ONNX has it.
    const order = this.naturalOrder(parts[0])
    const inputs = Object.fromEntries(
      parts.map((part, i) => [`${i}`, this.layOut(part, order)] as const),
    )
    const at = order.indexOf(axis)
    const { y } = this.add({ kind: 'concat', axis: at }, inputs)
    return inOrder(y, order, rank, parts[0].type)
  }

  /**
   * ONNX's axes in the order in which they lie in the Model; inserted ones stay behind their
   * neighbours.
   */
  naturalOrder({ view }: Live): readonly number[] {
    const place = (axis: number): number => {
      for (let i = axis; i >= 0; i--) if (view[i].length > 0) return view[i][0]
      return -1
    }
    return view.map((_, axis) => axis).sort((a, b) => place(a) - place(b) || a - b)
  }

  /**
   * A value of the Model with exactly the axes `order` of ONNX's value; adds nodes where needed.
   */
  layOut(live: Live, order: readonly number[] = live.view.map((_, axis) => axis)): string {
    const shape = this.shapeOf(live.value)
    const groups = order.map((axis) => live.view[axis])
    const named = groups.flat()
    const increasing = named.every((axis, i) => i === 0 || axis > named[i - 1])
    const rest = shape.flatMap((_, axis) => (named.includes(axis) ? [] : [axis]))
    const turned = increasing
      ? live.value
      : this.apply({ kind: 'transpose', axes: [...named, ...rest] }, live.value)
    const target = groups.map((axes) => product(axes.map((axis) => shape[axis])))
    return this.reshape(turned, target)
  }

  /** A value under another shape of as many numbers. */
  reshape(value: string, target: Shape): string {
    const from = this.shapeOf(value)
    if (from.length === target.length && from.every((extent, axis) => extent === target[axis]))
      return value
    checkedExtents(this.where, target)
    // An expression becomes −1, the extent that the others leave over.
    const open = target.findIndex((extent) => typeof extent === 'string' && /[()·⌊]/.test(extent))
    const shape = open < 0 ? target : target.with(open, -1)
    return this.apply({ kind: 'reshape', shape }, value)
  }

  /** The same value, laid out in the order of axes given. */
  reordered(live: Live, order: readonly number[]): Live {
    return inOrder(this.layOut(live, order), order, live.view.length, live.type)
  }

  /** The same value with ONNX's axis as the last one of the Model's. */
  withLast(live: Live, axis: number): Live {
    const rank = this.shapeOf(live.value).length
    const [place] = live.view[axis]
    if (live.view[axis].length === 1 && place === rank - 1) return live
    if (live.view[axis].length === 1) {
      const axes = [...Array(rank).keys()].filter((each) => each !== place).concat(place)
      const value = this.apply({ kind: 'transpose', axes }, live.value)
      const view = live.view.map((group) => group.map((each) => axes.indexOf(each)))
      return { ...live, value, view }
    }
    const order = this.naturalOrder(live).filter((each) => each !== axis)
    return this.reordered(live, [...order, axis])
  }

  /** The axis of the Model behind one of ONNX's, and the value laid out so that there is one. */
  withAxis(live: Live, axis: number): { readonly live: Live; readonly place: number } {
    const laid = live.view[axis].length === 1 ? live : this.reordered(live, this.naturalOrder(live))
    return { live: laid, place: laid.view[axis][0] }
  }

  /** @throws GruvError `bad-shape` naming the ONNX node. */
  misfit(problem: string, ...values: readonly Value[]): GruvError {
    return new GruvError('bad-shape', problem, {
      where: this.where,
      got: values.map((value) => showShape(this.extentsOf(value))).join(' and '),
    })
  }

  unsupported(
    problem: string,
    details: { readonly got?: string; readonly expected?: string; readonly fix?: string } = {},
  ): GruvError {
    return new GruvError('unsupported', problem, { where: this.where, ...details })
  }
}

/** A value whose axes are ONNX's in another order. */
export function inOrder(
  value: string,
  order: readonly number[],
  rank: number,
  type: Live['type'] = 'float',
): Live {
  const view = Array.from({ length: rank }, (_, axis) => [order.indexOf(axis)])
  return { kind: 'live', value, view, type }
}

export function isInteger({ tensor }: Known): boolean {
  return tensor.dtype !== undefined && /^u?int/.test(tensor.dtype)
}
