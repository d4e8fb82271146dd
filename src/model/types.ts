/**
 * What a network is, once no framework's vocabulary is left in it: a graph of named values.
 *
 * A Model is plain data and frozen. Numbers in it are the source's own, only taken apart by gate;
 * whatever had to be decided to take them apart stands in `conventions`, with where it comes from.
 */

import type { Named, Tensor } from '../tensor.ts'
import type { Dim } from './nodes/base.ts'
import type { RecurrentNode } from './nodes/recurrent.ts'
import type { TensorNode } from './nodes/tensor.ts'
import type { VectorNode } from './nodes/vector.ts'

export type { Dim } from './nodes/base.ts'
export type * from './nodes/recurrent.ts'
export type * from './nodes/tensor.ts'
export type * from './nodes/vector.ts'

/** A door of the graph, or of a program. `['batch', 'time', 6]` is a sequence of six features. */
export interface Port {
  readonly name: string
  /** As callers see it. */
  readonly shape: readonly Dim[]
  /**
   * Where callers and graph order the axes differently (ONNX and PyTorch put time first): axis i of
   * the graph's value is axis `axes[i]` of the port.
   */
  readonly axes?: readonly number[]
}

/** An output port and the value behind it. */
export interface OutputPort extends Port {
  readonly value: string
}

/** Everything a graph can hold. To add a layer, add a member: the compiler lists the tables to fill. */
export type LayerNode = RecurrentNode | VectorNode | TensorNode

export type LayerKind = LayerNode['kind']

/** The node of a kind. */
export type NodeOf<K extends LayerKind> = Extract<LayerNode, { kind: K }>

/** Inputs and outputs that came with the model, to prove it on the user's own machine. */
export interface ReferenceData {
  readonly inputs: Named<Tensor>
  readonly outputs: Named<Tensor>
}

export interface Model {
  readonly name: string
  /** The kind of file it was read from, in words: `NumPy archive (.npz)`. */
  readonly source: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly OutputPort[]
  /** In an order in which each node only reads values that exist. */
  readonly nodes: readonly LayerNode[]
  readonly reference: ReferenceData | null
  /** What a user should know before trusting the numbers, a sentence each. */
  readonly warnings: readonly string[]
}

/** A node that does not stand in a graph yet. */
export type Unwired<N extends LayerNode = LayerNode> = N extends LayerNode
  ? Omit<N, 'inputs' | 'outputs'>
  : never
