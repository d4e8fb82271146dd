/** Builds the graph node by node, with the shape and the mask of every value. */

import { GruvError } from '../../errors.ts'
import type { Budget } from '../../limits.ts'
import { outputShapes } from '../../model/layers.ts'
import type { BinaryNode, Dim, LayerNode, Unwired } from '../../model/types.ts'
import type { Named } from '../../tensor.ts'
import { withoutUnread } from '../unread.ts'
import { unfolded } from './unfold.ts'

/** A value of the graph, with the mask that Keras carries beside it. */
export interface Value {
  readonly value: string
  readonly shape: readonly Dim[]
  /** [rows, steps], 0 at steps that do not count; null where all do. */
  readonly mask: Value | null
}

/** A value whose mask may still be open. */
export type Result = Omit<Value, 'mask'> & { readonly mask?: Value | null }

export type Nameless = {
  [K in LayerNode['kind']]: Omit<Extract<Unwired, { kind: K }>, 'name' | 'conventions'> & {
    readonly conventions?: LayerNode['conventions']
  }
}[LayerNode['kind']]

export class GraphBuilder {
  readonly nodes: LayerNode[] = []
  readonly warnings = new Set<string>()
  /** Names that are taken, and how often each was asked for. */
  readonly #names = new Map<string, number>()
  readonly #shapes = new Map<string, readonly Dim[]>()
  readonly #budget: Budget

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /**
   * Adds a node. Its name is the layer's, with a number when the layer is called again.
   * @returns each output port's value.
   */
  add(name: string, node: Nameless, inputs: Named<Result | null | undefined>): Named<Result> {
    const unique = this.#unique(name)
    const wired = Object.entries(inputs).filter(
      (entry): entry is [string, Result] => entry[1] !== null && entry[1] !== undefined,
    )
    // `Unwired` leaves out of each member of the union what is added here; TypeScript cannot put it
    // back.
    const complete = {
      conventions: [],
      ...node,
      name: unique,
      inputs: Object.fromEntries(wired.map(([port, { value }]) => [port, value])),
      outputs: {},
    } as unknown as LayerNode
    const shapes = outputShapes(
      complete,
      Object.fromEntries(wired.map(([port, { shape }]) => [port, shape])),
    )
    const outputs = Object.fromEntries(
      Object.keys(shapes).map((port) => [port, `${unique}.${port}`]),
    )
    this.nodes.push({ ...complete, outputs } as LayerNode)
    this.#budget.check('nodes', this.nodes.length, unique)
    for (const [port, shape] of Object.entries(shapes)) this.#shapes.set(outputs[port], shape)
    for (const [, { value, shape }] of wired) this.#shapes.set(value, shape)
    return Object.fromEntries(
      Object.entries(shapes).map(([port, shape]) => [port, { value: outputs[port], shape }]),
    )
  }

  /** Adds a node with one output, `y`. */
  one(name: string, node: Nameless, inputs: Named<Result | null | undefined>): Result {
    return this.add(name, node, inputs).y
  }

  reshape(name: string, x: Result, shape: readonly Dim[]): Result {
    return this.one(name, { kind: 'reshape', shape }, { x })
  }

  transpose(name: string, x: Result, axes: readonly number[]): Result {
    return this.one(name, { kind: 'transpose', axes }, { x })
  }

  binary(name: string, op: BinaryNode['op'], a: Result, b: Result): Result {
    return this.one(name, { kind: 'binary', op }, { a, b })
  }

  /** The nodes that lead to these values, each with the outputs that are read. */
  reaching(outputs: readonly string[]): readonly LayerNode[] {
    return unfolded(withoutUnread(this.nodes, outputs), this.#shapes, outputs)
  }

  #unique(name: string): string {
    let call = (this.#names.get(name) ?? 0) + 1
    let unique = call === 1 ? name : `${name}#${call}`
    while (this.#names.has(unique)) unique = `${name}#${++call}`
    this.#names.set(name, call)
    this.#names.set(unique, Math.max(1, this.#names.get(unique) ?? 0))
    return unique
  }
}

/** Axis numbers as Keras writes them, negative ones counted from the end. */
export function axisOf(axis: number, rank: number, where: string): number {
  const positive = axis < 0 ? axis + rank : axis
  if (Number.isInteger(positive) && positive >= 0 && positive < rank) return positive
  throw new GruvError('bad-shape', `there is no axis ${axis}`, {
    where,
    expected: `−${rank} to ${rank - 1}`,
  })
}

/** A whole number known when the model is read. */
export function fixed(extent: Dim | undefined, where: string, what: string): number {
  if (typeof extent === 'number') return extent
  throw new GruvError('bad-shape', `${what} must be known`, { where, got: String(extent) })
}
