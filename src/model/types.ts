/**
 * The types of a model: a graph of named values, free of any framework's vocabulary.
 *
 * A Model is plain data and frozen. Its numbers are the source's own, only taken apart by gate.
 * Each decision that took is recorded in `conventions`, with its origin.
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

/** An input or output of a graph or a program. `['batch', 'time', 6]` is a sequence of six features. */
export interface Port {
  readonly name: string
  /** As callers see it. */
  readonly shape: readonly Dim[]
  /**
   * Where callers and graph lay the axes out differently (ONNX and PyTorch put time first): axis i of
   * the graph's value is axis `axes[i]` of the port. −1 is an extent of one that the port does not
   * have; axes of the port that are left out are of extent one.
   */
  readonly axes?: readonly number[]
}

/** An output port and the value behind it. */
export interface OutputPort extends Port {
  readonly value: string
}

/** A node of any kind. To add a layer, add a member: the compiler lists the tables to fill. */
export type LayerNode = RecurrentNode | VectorNode | TensorNode

export type LayerKind = LayerNode['kind']

/** The node of a kind. */
export type NodeOf<K extends LayerKind> = Extract<LayerNode, { kind: K }>

/** Inputs and outputs that came with the model, to check it on the user's own machine. */
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
  /**
   * What a user should know before trusting the numbers, a sentence each. `load` adds what the
   * weights show; a model built in code has none.
   */
  readonly warnings: readonly string[]
}

/** A node that is not part of a graph yet. */
export type Unwired<N extends LayerNode = LayerNode> = N extends LayerNode
  ? Omit<N, 'inputs' | 'outputs'>
  : never
