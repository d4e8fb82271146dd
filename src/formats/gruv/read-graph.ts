/** Reads a model from a description in JSON and named tensors: gruv's own format (docs/format.md). */

import { GruvError } from '../../errors.ts'
import { assembleModel } from '../../model/assemble.ts'
import type { LayerNode, Model, OutputPort, ReferenceData } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import {
  array,
  type JsonObject,
  object,
  oneOf,
  optionalText,
  parseObject,
  text,
  texts,
} from '../decode.ts'
import { coreKinds } from './core-nodes.ts'
import { dim, list, whole } from './fields.ts'
import {
  GRAPH_VERSION,
  type KindTables,
  type NodeReader,
  type NodeReaders,
  type TakePart,
} from './node-format.ts'

const extents = list(dim(1))
const order = list(whole(-1))

/** A description whose version is known; its parts are read when the graph is put together. */
export interface GraphDescription {
  readonly graph: JsonObject
  readonly nodes: readonly JsonObject[]
}

/** What its nodes need, by their kinds and the storage of their numbers. */
export interface GraphTools extends KindTables {
  /** Of `storage.ts`, where numbers of eight bits have scales beside them. */
  readonly withScale?: ((stored: Tensor, scale: Tensor, where: string) => Tensor) | undefined
}

/** @throws GruvError `bad-file` for no such JSON, `unsupported` for another version. */
export function parseGraph(description: string): GraphDescription {
  const graph = parseObject(description, 'graph')
  if (graph.gruv !== GRAPH_VERSION) {
    throw new GruvError('unsupported', 'an unknown version', {
      where: 'graph.gruv',
      expected: `${GRAPH_VERSION}`,
      got: JSON.stringify(graph.gruv) ?? 'nothing',
      fix: 'Update gruv.',
    })
  }
  const nodes = array(graph.nodes, 'graph.nodes').map((node, i) =>
    object(node, `graph.nodes[${i}]`),
  )
  return { graph, nodes }
}

/** Fetches what these nodes need; what `gruv/core` needs is at hand there. */
export async function fetchTools({ graph, nodes }: GraphDescription): Promise<GraphTools> {
  // The core checks no axes of ports, which few models have.
  const hasAxes = [graph.inputs, graph.outputs].flat().some((port) => Object(port).axes)
  const isCore =
    !hasAxes &&
    nodes.every(({ kind }) => typeof kind === 'string' && Object.hasOwn(coreKinds.readers, kind))
  const kinds = isCore ? coreKinds : (await import('./all-nodes.ts')).allKinds
  const isScaled = nodes.some(({ scales }) => scales !== undefined)
  return isScaled ? { ...kinds, withScale: (await import('./storage.ts')).withScale } : kinds
}

/** @throws GruvError `bad-file`, `bad-model` … saying where in the description. */
export function readGraph(
  { graph, nodes: described }: GraphDescription,
  tensors: Named<Tensor>,
  fallbackName: string,
  { readers, signatures, withScale }: GraphTools,
): Model {
  const take = (name: string, where: string): Tensor => {
    if (Object.hasOwn(tensors, name)) return tensors[name]
    throw new GruvError('bad-file', `the tensor '${name}' is not in the file`, {
      where,
      expected: `one of ${Object.keys(tensors).slice(0, 12).join(', ')}`,
    })
  }
  const ports = (side: 'inputs' | 'outputs'): readonly OutputPort[] =>
    array(graph[side], `graph.${side}`).map((port, i) =>
      readPort(port, side, `graph.${side}[${i}]`),
    )
  const inputs = ports('inputs')
  const outputs = ports('outputs')
  const nodes = described.map((node, i) =>
    readNode(node, `graph.nodes[${i}]`, take, readers, withScale),
  )
  return assembleModel(
    {
      name: optionalText(graph.name, 'graph.name') ?? fallbackName,
      source: 'gruv model (.safetensors)',
      inputs,
      outputs,
      nodes,
      reference: graph.reference === undefined ? null : readReference(graph.reference, take),
    },
    signatures,
  )
}

/** An output states its value, and its shape only where that does not follow. */
function readPort(port: unknown, side: 'inputs' | 'outputs', where: string): OutputPort {
  const { name, value, shape, axes } = object(port, where)
  const isOutput = side === 'outputs'
  return {
    name: text(name, `${where}.name`),
    ...(isOutput && { value: text(value, `${where}.value`) }),
    ...((!isOutput || shape !== undefined) && { shape: extents.read(shape, `${where}.shape`) }),
    ...(axes !== undefined && { axes: order.read(axes, `${where}.axes`) }),
  } as OutputPort
}

type Take = (name: string, where: string) => Tensor

function readNode(
  node: JsonObject,
  where: string,
  take: Take,
  readers: Partial<NodeReaders>,
  withScale: GraphTools['withScale'],
): LayerNode {
  const kinds = Object.keys(readers) as readonly (keyof NodeReaders)[]
  const kind = oneOf(node.kind, kinds, `${where}.kind`)
  const names = node.tensors === undefined ? {} : texts(node.tensors, `${where}.tensors`)
  const scales = node.scales === undefined ? {} : texts(node.scales, `${where}.scales`)
  const tensor: TakePart = (part) => {
    if (names[part] === undefined) return undefined
    const stored = take(names[part], `${where}.tensors.${part}`)
    if (scales[part] === undefined) return stored
    const at = `${where}.scales.${part}`
    return withScale!(stored, take(scales[part], at), at)
  }
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const read = readers[kind] as NodeReader<LayerNode>
  return {
    ...read(text(node.name, `${where}.name`), node, tensor, where),
    inputs: texts(node.inputs, `${where}.inputs`),
    outputs: texts(node.outputs, `${where}.outputs`),
  } as LayerNode
}

function readReference(value: unknown, take: Take): ReferenceData {
  const { inputs, outputs } = object(value, 'graph.reference')
  const tensorsOf = (names: unknown, where: string): Named<Tensor> =>
    Object.fromEntries(
      Object.entries(texts(names, where)).map(([port, name]) => [
        port,
        take(name, `${where}.${port}`),
      ]),
    )
  return {
    inputs: tensorsOf(inputs, 'graph.reference.inputs'),
    outputs: tensorsOf(outputs, 'graph.reference.outputs'),
  }
}
