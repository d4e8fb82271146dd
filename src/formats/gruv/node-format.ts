/** Declares how kinds of nodes are read from the description of a model, and written to one. */

import type { Signatures } from '../../model/shapes/signatures.ts'
import type { LayerKind, LayerNode, NodeOf, Unwired } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import type { JsonObject } from '../decode.ts'

/** The version of the description that is written, and the only one that is read. */
export const GRAPH_VERSION = 1

/** The arrays of a node in a file, by their parts. */
export type TakePart = (part: string) => Tensor | undefined

/** @throws GruvError `bad-file`, saying where. */
export type NodeReader<N extends LayerNode> = (
  name: string,
  node: JsonObject,
  tensor: TakePart,
  where: string,
) => Unwired<N>

export type NodeReaders<K extends LayerKind = LayerKind> = {
  readonly [P in K]: NodeReader<NodeOf<P>>
}

/** What reading and assembling the nodes of a model need, by their kinds. */
export interface KindTables {
  readonly readers: Partial<NodeReaders>
  readonly signatures: Signatures
}

/** Gives the attributes of a node, and its arrays as the source packed them. */
export type NodeWriter<N extends LayerNode> = (node: N) => {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly arrays: Readonly<Record<string, Tensor | null>>
}

export type NodeWriters<K extends LayerKind = LayerKind> = {
  readonly [P in K]: NodeWriter<NodeOf<P>>
}
