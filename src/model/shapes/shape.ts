/** The types of tables of shapes, and checks of their shapes. */

import { GruvError } from '../../errors.ts'
import { type Named, showShape } from '../../tensor.ts'
import type { Dim, LayerKind, LayerNode, NodeOf } from '../types.ts'

export type Shape = readonly Dim[]

export interface StateSlot {
  /** `h`; with the node's name before it, `gru.h` names the state everywhere. */
  readonly name: string
  readonly size: number
}

/** What a kind of layer is to the outside. */
export interface LayerShape<N extends LayerNode> {
  /** Input ports, and whether a graph may leave them open; null for any names. */
  readonly inputs: Readonly<Record<string, 'required' | 'optional'>> | null
  /** The shape at each output port, from those at the input ports. */
  readonly outputs: (node: N, inputs: Named<Shape>) => Named<Shape>
  readonly states?: (node: N) => readonly StateSlot[]
}

export type LayerShapes<K extends LayerKind> = { readonly [P in K]: LayerShape<NodeOf<P>> }

/** @throws GruvError `bad-shape` naming node and port, unless the shapes are equal. */
export function fits(node: LayerNode, port: string, got: Shape, expected: Shape): void {
  if (sameShape(got, expected)) return
  throw misfit(node, port, got, showShape(expected))
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

export function misfit(node: LayerNode, port: string, got: Shape, expected: string): GruvError {
  return new GruvError('bad-shape', `this ${node.kind} layer cannot take that`, {
    where: `${node.name}, port ${port}`,
    expected,
    got: showShape(got),
  })
}
