/**
 * A model as a description in JSON and named tensors, and back: gruv's own format (docs/format.md),
 * whatever container holds it.
 */

import { GruvError } from '../../errors.ts'
import { createModel } from '../../model/graph.ts'
import { layerKinds } from '../../model/layers.ts'
import type { LayerNode, Model, Port, ReferenceData } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { array, type JsonObject, object, oneOf, optionalText, text, texts } from '../decode.ts'
import { dim, type Field, index, list } from './fields.ts'
import { descriptions, type PlainKind } from './nodes.ts'
import { type PackedKind, packedFormats, required, type TakePart } from './packed.ts'
import { type StorageType, storeArrays, withScale } from './storage.ts'

/** The version of the description that is written, and the only one that is read. */
const GRAPH_VERSION = 1

const extents = list(dim(1))
const order = list(index)

/** @throws GruvError `bad-file`, `bad-model` … saying where in the description. */
export function readGraph(graph: JsonObject, tensors: Named<Tensor>, fallbackName: string): Model {
  if (graph.gruv !== GRAPH_VERSION) {
    throw new GruvError('unsupported', 'this description has another version', {
      where: 'graph.gruv',
      expected: `${GRAPH_VERSION}`,
      got: JSON.stringify(graph.gruv) ?? 'nothing',
      fix: 'A newer gruv may read it.',
    })
  }
  const take = (name: string, where: string): Tensor => {
    if (Object.hasOwn(tensors, name)) return tensors[name]
    throw new GruvError('bad-file', `the tensor '${name}' is not in the file`, {
      where,
      expected: `one of ${Object.keys(tensors).slice(0, 12).join(', ')}`,
    })
  }
  return createModel({
    name: optionalText(graph.name, 'graph.name') ?? fallbackName,
    source: 'gruv model (.safetensors)',
    inputs: array(graph.inputs, 'graph.inputs').map((port, i) =>
      readPort(port, `graph.inputs[${i}]`),
    ),
    outputs: array(graph.outputs, 'graph.outputs').map((port, i) => {
      const where = `graph.outputs[${i}]`
      const { name, value, axes } = object(port, where)
      return {
        name: text(name, `${where}.name`),
        value: text(value, `${where}.value`),
        ...(axes !== undefined && { axes: order.read(axes, `${where}.axes`) }),
      }
    }),
    nodes: array(graph.nodes, 'graph.nodes').map((node, i) =>
      readNode(node, `graph.nodes[${i}]`, take),
    ),
    reference: graph.reference === undefined ? null : readReference(graph.reference, take),
  })
}

function readPort(value: unknown, where: string): Port {
  const { name, shape, axes } = object(value, where)
  return {
    name: text(name, `${where}.name`),
    shape: extents.read(shape, `${where}.shape`),
    ...(axes !== undefined && { axes: order.read(axes, `${where}.axes`) }),
  }
}

type Take = (name: string, where: string) => Tensor

function readNode(value: unknown, where: string, take: Take): LayerNode {
  const node = object(value, where)
  const kind = oneOf(node.kind, layerKinds, `${where}.kind`)
  const names = node.tensors === undefined ? {} : texts(node.tensors, `${where}.tensors`)
  const scales = node.scales === undefined ? {} : texts(node.scales, `${where}.scales`)
  const tensor: TakePart = (part) => {
    if (names[part] === undefined) return undefined
    const stored = take(names[part], `${where}.tensors.${part}`)
    if (scales[part] === undefined) return stored
    const at = `${where}.scales.${part}`
    return withScale(stored, take(scales[part], at), at)
  }
  const name = text(node.name, `${where}.name`)
  const layer = Object.hasOwn(packedFormats, kind)
    ? packedFormats[kind as PackedKind].read(name, node, tensor, where)
    : readPlain(kind as PlainKind, name, node, tensor, where)
  return {
    ...layer,
    inputs: texts(node.inputs, `${where}.inputs`),
    outputs: texts(node.outputs, `${where}.outputs`),
  } as LayerNode
}

function readPlain(
  kind: PlainKind,
  name: string,
  node: JsonObject,
  tensor: TakePart,
  where: string,
): object {
  const { arrays } = descriptions[kind]
  const attributes = fieldsOf(kind).map(
    ([key, field]) => [key, field.read(node[key], `${where}.${key}`)] as const,
  )
  const weights = Object.entries(arrays).map(
    ([part, need]) =>
      [part, need === 'required' ? required(tensor, part, where) : (tensor(part) ?? null)] as const,
  )
  return {
    kind,
    name,
    ...Object.fromEntries(attributes),
    ...(weights.length > 0 && { weights: Object.fromEntries(weights) }),
    conventions: [],
  }
}

/** The attributes of a kind; what each reads is what it writes, whatever it is. */
function fieldsOf(kind: PlainKind): readonly (readonly [string, Field<unknown>])[] {
  return Object.entries(descriptions[kind].fields as Readonly<Record<string, Field<unknown>>>)
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

/**
 * The description of a model, and every tensor that it names.
 * @param storage the type that trained numbers are rounded to; without one they stay as they are.
 */
export function writeGraph(
  model: Model,
  storage?: StorageType,
): {
  readonly graph: JsonObject
  readonly tensors: Named<Tensor>
} {
  const tensors: Record<string, Tensor> = {}
  const keep = (prefix: string, arrays: Readonly<Record<string, Tensor | null>>): Named<string> => {
    const present = Object.entries(arrays).filter(
      (entry): entry is [string, Tensor] => entry[1] !== null,
    )
    return Object.fromEntries(
      present.map(([part, tensor]) => {
        let name = `${prefix}.${part}`
        while (Object.hasOwn(tensors, name)) name += '_'
        tensors[name] = tensor
        return [part, name]
      }),
    )
  }
  const port = ({ name, shape, axes }: Port): object => ({ name, shape, ...(axes && { axes }) })
  const nodes = model.nodes.map((node) => {
    const { attributes, arrays } = describe(node)
    const stored = storeArrays(node, arrays, attributes.transposed === true, storage)
    const names = keep(node.name, stored.arrays)
    const scales = keep(`${node.name}.scale`, stored.scales)
    return {
      kind: node.kind,
      name: node.name,
      inputs: node.inputs,
      outputs: node.outputs,
      ...attributes,
      ...(Object.keys(names).length > 0 && { tensors: names }),
      ...(Object.keys(scales).length > 0 && { scales }),
    }
  })
  const { reference } = model
  return {
    graph: {
      gruv: GRAPH_VERSION,
      name: model.name,
      inputs: model.inputs.map(port),
      outputs: model.outputs.map(({ name, value, axes }) => ({
        name,
        value,
        ...(axes && { axes }),
      })),
      nodes,
      ...(reference && {
        reference: {
          inputs: keep('reference.inputs', reference.inputs),
          outputs: keep('reference.outputs', reference.outputs),
        },
      }),
    },
    tensors,
  }
}

function describe(node: LayerNode): {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly arrays: Readonly<Record<string, Tensor | null>>
} {
  if (Object.hasOwn(packedFormats, node.kind)) {
    // The table's type ties each kind to its node; TypeScript cannot follow an index.
    const write = packedFormats[node.kind as PackedKind].write as (
      each: LayerNode,
    ) => ReturnType<typeof describe>
    return write(node)
  }
  const kind = node.kind as PlainKind
  const { arrays } = descriptions[kind]
  const attributes = node as object as Readonly<Record<string, unknown>>
  const weights = 'weights' in node ? (node.weights as Readonly<Record<string, Tensor | null>>) : {}
  return {
    attributes: Object.fromEntries(
      fieldsOf(kind).map(([key, field]) => [key, field.write(attributes[key])]),
    ),
    arrays: Object.fromEntries(Object.keys(arrays).map((part) => [part, weights[part]])),
  }
}
