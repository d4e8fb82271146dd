/** What a table of shapes is made of. */

import { GruvError } from '../../errors.ts'
import { type Named, showShape, type Tensor } from '../../tensor.ts'
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
  /** Every array of trained numbers, by the path it has in `weights`. */
  readonly weights?: (node: N) => Named<Tensor>
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

/** The arrays that are there, by their names in `weights`. */
export function presentWeights(weights: Readonly<Record<string, Tensor | null>>): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(weights).filter((entry): entry is [string, Tensor] => entry[1] !== null),
  )
}

/** The same for arrays by gate: `kernel.z`. */
export function gateWeights(weights: Readonly<Record<string, object | null>>): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(weights).flatMap(([array, gates]) =>
      Object.entries(gates ?? {}).map(
        ([gate, tensor]) => [`${array}.${gate}`, tensor as Tensor] as const,
      ),
    ),
  )
}
