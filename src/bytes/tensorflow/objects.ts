/**
 * Reads which objects own the variables of a TensorFlow file: the object graph of a checkpoint
 * (tensorflow/core/protobuf/trackable_object_graph.proto), the Keras objects beside a SavedModel
 * (keras/protobuf/saved_metadata.proto) and those in it (saved_object_graph.proto).
 */

import { GruvError } from '../../errors.ts'
import { type MessageOf, message, readMessage } from '../protobuf/read.ts'

/** `node` is an index into the nodes of the graph. */
const child = message({ node: [1, 'int32'], name: [2, 'string'] })
const attribute = message({
  name: [1, 'string'],
  /** As Keras calls the variable, `gru/gru_cell/kernel`; may be empty. */
  fullName: [2, 'string'],
  /** The key of its entry in the checkpoint. */
  key: [3, 'string'],
})
const objectNode = message({
  children: [1, () => child, 'repeated'],
  /** A variable has one, named `VARIABLE_VALUE`. */
  attributes: [2, () => attribute, 'repeated'],
})
/** The first node is the root. */
const objectGraph = message({ nodes: [1, () => objectNode, 'repeated'] })

export type ObjectNode = MessageOf<typeof objectNode>
export type ObjectGraph = MessageOf<typeof objectGraph>

/**
 * @param bytes the one string of the checkpoint's entry `OBJECT_GRAPH`.
 * @throws GruvError `bad-file` for bytes that are no object graph, or one with a missing node.
 */
export function readObjectGraph(bytes: Uint8Array): ObjectGraph {
  const graph = readMessage(bytes, objectGraph)
  for (const [i, { children }] of graph.nodes.entries()) {
    for (const { node } of children) {
      if (node >= 0 && node < graph.nodes.length) continue
      throw new GruvError('bad-file', 'the object graph names a node that does not exist', {
        where: `node ${i}`,
        expected: `0 to ${graph.nodes.length - 1}`,
        got: `${node}`,
      })
    }
  }
  return graph
}

export type Children = (node: ObjectNode) => ReadonlyMap<string, ObjectNode>

/** The objects that an object owns, by name; the first of a name counts. */
export function childrenOf({ nodes }: ObjectGraph): Children {
  const known = new Map<ObjectNode, ReadonlyMap<string, ObjectNode>>()
  return (node) => {
    const found =
      known.get(node) ??
      new Map(node.children.toReversed().map((child) => [child.name, nodes[child.node]]))
    known.set(node, found)
    return found
  }
}

/** The node that a chain of names leads to, from the root. */
export function nodeAt(
  graph: ObjectGraph,
  path: readonly string[],
  children = childrenOf(graph),
): ObjectNode | undefined {
  return path.reduce<ObjectNode | undefined>(
    (node, name) => node && children(node).get(name),
    graph.nodes[0],
  )
}

/** One object of Keras in a SavedModel. */
const kerasObject = message({
  /** Its index in the SavedModel's own object graph. */
  node: [2, 'int32'],
  /** `root`, `root.layer_with_weights-0`, `root.layer_with_weights-0.cell`. */
  path: [3, 'string'],
  /** `_tf_keras_sequential`, `_tf_keras_rnn_layer`, … */
  identifier: [4, 'string'],
  /** JSON: class name, configuration and more. */
  metadata: [5, 'string'],
})
const kerasMetadata = message({ objects: [1, () => kerasObject, 'repeated'] })

/**
 * The objects of a `keras_metadata.pb`, in its order, the root first.
 * @throws GruvError `bad-file`.
 */
export function readKerasMetadata(bytes: Uint8Array): readonly MessageOf<typeof kerasObject>[] {
  return readMessage(bytes, kerasMetadata).objects
}

const userObject = message({
  /** `_tf_keras_network` and the like for objects of Keras; `_generic_user_object` for others. */
  identifier: [1, 'string'],
  /** JSON as in `keras_metadata.pb`, where TensorFlow 2.0 to 2.4 wrote it; later empty. */
  metadata: [3, 'string'],
})
const savedObject = message({ userObject: [4, () => userObject, 'optional'] })
const savedObjectGraph = message({ nodes: [1, () => savedObject, 'repeated'] })
const metaInfo = message({ tensorflowVersion: [5, 'string'] })
const metaGraph = message({
  info: [1, () => metaInfo, 'optional'],
  objects: [7, () => savedObjectGraph, 'optional'],
})
const savedModel = message({ graphs: [2, () => metaGraph, 'repeated'] })

/** What a `saved_model.pb` says of the object at its root. */
export interface SavedRoot {
  readonly tensorflowVersion: string
  /** Null where the file has no object graph, as TensorFlow 1 wrote it. */
  readonly identifier: string | null
  /** JSON; empty where it is not there. */
  readonly metadata: string
}

/** @throws GruvError `bad-file` for bytes that are no SavedModel. */
export function readSavedRoot(bytes: Uint8Array): SavedRoot {
  const [graph] = readMessage(bytes, savedModel).graphs
  const root = graph?.objects?.nodes[0]?.userObject
  return {
    tensorflowVersion: graph?.info?.tensorflowVersion ?? '',
    identifier: root?.identifier ?? null,
    metadata: root?.metadata ?? '',
  }
}
