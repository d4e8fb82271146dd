/**
 * What TensorFlow says of the objects that own variables: the object graph of a checkpoint
 * (tensorflow/core/protobuf/trackable_object_graph.proto), and the objects of Keras beside a
 * SavedModel (keras/protobuf/saved_metadata.proto).
 */

import { GruvError } from '../errors.ts'
import { type Message, message, messageReader } from './protobuf.ts'

export interface ObjectGraph {
  /** The first is the root. */
  readonly nodes: readonly ObjectNode[]
}

export interface ObjectNode {
  readonly children: readonly Child[]
  /** A variable has one, named `VARIABLE_VALUE`. */
  readonly attributes: readonly Attribute[]
}

interface Child {
  /** An index into `nodes`. */
  readonly node: number
  readonly name: string
}

interface Attribute {
  readonly name: string
  /** As Keras calls the variable, `gru/gru_cell/kernel`; may be empty. */
  readonly fullName: string
  /** The key of its entry in the checkpoint. */
  readonly key: string
}

const child: Message<Child> = message({ node: [1, 'int32'], name: [2, 'string'] })
const attribute: Message<Attribute> = message({
  name: [1, 'string'],
  fullName: [2, 'string'],
  key: [3, 'string'],
})
const objectNode: Message<ObjectNode> = message({
  children: [1, () => child, 'repeated'],
  attributes: [2, () => attribute, 'repeated'],
})
const objectGraph: Message<ObjectGraph> = message({ nodes: [1, () => objectNode, 'repeated'] })

/**
 * @param bytes the one string of the checkpoint's entry `OBJECT_GRAPH`.
 * @throws GruvError `bad-file` when it is none, or names a node that does not exist.
 */
export async function readObjectGraph(bytes: Uint8Array): Promise<ObjectGraph> {
  const readMessage = await messageReader()
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

/** The node that a chain of names leads to, from the root. */
export function nodeAt(graph: ObjectGraph, path: readonly string[]): ObjectNode | undefined {
  let node: ObjectNode | undefined = graph.nodes[0]
  for (const name of path) {
    const next: Child | undefined = node?.children.find((child) => child.name === name)
    node = next && graph.nodes[next.node]
  }
  return node
}

const VARIABLE_VALUE = 'VARIABLE_VALUE'

export interface SavedVariable {
  /** The shortest way to it from the root, the first of several. */
  readonly path: readonly string[]
  readonly key: string
  readonly fullName: string
}

/** Models in models in models; a file could hold a chain of a million. */
const MOST_LEVELS = 100

/**
 * Every variable that can be reached from the root, once, the nearest first.
 * @throws GruvError `too-large` for more than 100 levels.
 */
export function variablesOf({ nodes }: ObjectGraph): readonly SavedVariable[] {
  const variables: SavedVariable[] = []
  const seen = new Set([0])
  const queue: Way[] = nodes.length > 0 ? [{ node: 0, name: '', level: 0, before: undefined }] : []
  for (const way of queue) {
    const level = way.level + 1
    if (level > MOST_LEVELS) {
      throw new GruvError('too-large', 'the object graph is too deep', {
        expected: `at most ${MOST_LEVELS} levels`,
      })
    }
    const { children, attributes } = nodes[way.node]
    const value = attributes.find(({ name }) => name === VARIABLE_VALUE)
    if (value) variables.push({ path: pathOf(way), key: value.key, fullName: value.fullName })
    for (const { node, name } of children) {
      if (!seen.has(node)) queue.push({ node, name, level, before: way })
      seen.add(node)
    }
  }
  return variables
}

interface Way {
  readonly node: number
  readonly name: string
  readonly level: number
  readonly before: Way | undefined
}

function pathOf(way: Way): readonly string[] {
  const path: string[] = []
  for (let at = way; at.before !== undefined; at = at.before) path.push(at.name)
  return path.reverse()
}

/** One object of Keras in a SavedModel, an entry of `keras_metadata.pb`. */
export interface KerasObject {
  /** Its index in the SavedModel's own object graph. */
  readonly node: number
  /** `root`, `root.layer_with_weights-0`, `root.layer_with_weights-0.cell`. */
  readonly path: string
  /** `_tf_keras_sequential`, `_tf_keras_rnn_layer`, … */
  readonly identifier: string
  /** JSON: class name, configuration and more. */
  readonly metadata: string
}

interface KerasMetadata {
  readonly objects: readonly KerasObject[]
}

const kerasObject: Message<KerasObject> = message({
  node: [2, 'int32'],
  path: [3, 'string'],
  identifier: [4, 'string'],
  metadata: [5, 'string'],
})
const kerasMetadata: Message<KerasMetadata> = message({
  objects: [1, () => kerasObject, 'repeated'],
})

/**
 * The objects of a `keras_metadata.pb`, in its order, the root first.
 * @throws GruvError `bad-file`.
 */
export async function readKerasMetadata(bytes: Uint8Array): Promise<readonly KerasObject[]> {
  const readMessage = await messageReader()
  return readMessage(bytes, kerasMetadata).objects
}
