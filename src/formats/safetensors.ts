/**
 * safetensors: gruv's own way to ship a model, and bare layers in plain files.
 *
 * A gruv model is a safetensors file whose metadata holds, under `gruv`, the graph and every
 * convention as JSON (docs/format.md). Tensors keep the layout of the framework they came from.
 */

import { readSafetensors } from '../bytes/safetensors.ts'
import { GruvError, within } from '../errors.ts'
import { type Activation, activation } from '../model/activations.ts'
import { conventionTable, type GateOrder } from '../model/conventions.ts'
import { denseNode } from '../model/dense.ts'
import { createModel } from '../model/graph.ts'
import { type Ground, type GruBehaviour, gruNode } from '../model/gru.ts'
import type {
  Dim,
  LayerKind,
  LayerNode,
  Model,
  Port,
  ReferenceData,
  Unwired,
} from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { bareLayer } from './arrays.ts'
import {
  array,
  bool,
  type JsonObject,
  object,
  oneOf,
  optionalText,
  parseObject,
  text,
  texts,
} from './decode.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from './format.ts'

/** The version of the description that this reader knows. */
const GRAPH_VERSION = 1

export async function readSafetensorsModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const { metadata, tensors } = readSafetensors(file.bytes)
  if (metadata.gruv === undefined)
    return bareLayer(baseName(file.name), 'safetensors, bare arrays', tensors, options)
  refuseConventions(options, 'the file states its conventions itself')
  try {
    return readGraph(parseObject(metadata.gruv, 'graph'), tensors, baseName(file.name))
  } catch (error) {
    throw within('metadata gruv', error)
  }
}

function readGraph(graph: JsonObject, tensors: Named<Tensor>, fallbackName: string): Model {
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
      const { name, value } = object(port, where)
      return { name: text(name, `${where}.name`), value: text(value, `${where}.value`) }
    }),
    nodes: array(graph.nodes, 'graph.nodes').map((node, i) =>
      readNode(node, `graph.nodes[${i}]`, take),
    ),
    reference: graph.reference === undefined ? null : readReference(graph.reference, take),
  })
}

function readPort(value: unknown, where: string): Port {
  const { name, shape } = object(value, where)
  const extents = array(shape, `${where}.shape`).map((extent): Dim => {
    const known =
      extent === 'batch' ||
      extent === 'time' ||
      (Number.isInteger(extent) && (extent as number) > 0)
    if (known) return extent as Dim
    throw new GruvError('bad-file', 'this is not an extent', {
      where: `${where}.shape`,
      expected: '"batch", "time", or a whole number from 1',
      got: JSON.stringify(extent),
    })
  })
  return { name: text(name, `${where}.name`), shape: extents }
}

type Take = (name: string, where: string) => Tensor

function readNode(value: unknown, where: string, take: Take): LayerNode {
  const node = object(value, where)
  const kind = oneOf(node.kind, Object.keys(nodeReaders) as LayerKind[], `${where}.kind`)
  const names = node.tensors === undefined ? {} : texts(node.tensors, `${where}.tensors`)
  const tensor = (part: string): Tensor | undefined =>
    names[part] === undefined ? undefined : take(names[part], `${where}.tensors.${part}`)
  const layer = nodeReaders[kind]!(text(node.name, `${where}.name`), node, tensor, where)
  return {
    ...layer,
    inputs: texts(node.inputs, `${where}.inputs`),
    outputs: texts(node.outputs, `${where}.outputs`),
  } as LayerNode
}

type NodeReader = (
  name: string,
  node: JsonObject,
  tensor: (part: string) => Tensor | undefined,
  where: string,
) => Unwired

const nodeReaders: Readonly<Partial<Record<LayerKind, NodeReader>>> = {
  gru: (name, node, tensor, where) => {
    const choice = <K extends 'gateOrder' | 'reset' | 'update' | 'bias'>(key: K): Ground<string> =>
      stated(oneOf(node[key], Object.keys(conventionTable[key].values), `${where}.${key}`))
    const arrays = {
      kernel: required(tensor, 'kernel', where),
      recurrentKernel: required(tensor, 'recurrentKernel', where),
      bias: tensor('bias'),
      recurrentBias: tensor('recurrentBias'),
    }
    const bias = choice('bias') as Ground<'separate' | 'merged' | 'none'>
    return gruNode(
      name,
      arrays,
      {
        gateOrder: choice('gateOrder') as Ground<GateOrder>,
        transposed: readTransposed(node.transposed, where),
        reset: choice('reset') as Ground<'after' | 'before'>,
        update: choice('update') as Ground<'keeps' | 'updates'>,
        ...(bias.value !== 'none' && { bias: bias as Ground<'separate' | 'merged'> }),
        activation: stated(readActivation(node.activation, `${where}.activation`)),
        recurrentActivation: stated(
          readActivation(node.recurrentActivation, `${where}.recurrentActivation`),
        ),
      },
      {},
      readBehaviour(node, where),
    )
  },
  dense: (name, node, tensor, where) =>
    denseNode(
      name,
      { kernel: required(tensor, 'kernel', where), bias: tensor('bias') },
      stated(readActivation(node.activation, `${where}.activation`)),
      readTransposed(node.transposed, where),
    ),
  merge: (name, node, _, where) => ({
    kind: 'merge',
    name,
    mode: oneOf(node.mode, ['concatenate', 'add', 'multiply', 'average'], `${where}.mode`),
    conventions: [],
  }),
  reverse: (name) => ({ kind: 'reverse', name, conventions: [] }),
}

/** All optional: a layer runs forward, repeats masked outputs and does not clip unless it says so. */
function readBehaviour(node: JsonObject, where: string): GruBehaviour {
  const { direction, maskedOutput, clip } = node
  if (clip !== undefined && !(typeof clip === 'number' && clip > 0)) {
    throw new GruvError('bad-file', 'a clip is a positive number', {
      where: `${where}.clip`,
      got: JSON.stringify(clip),
    })
  }
  return {
    ...(direction !== undefined && {
      direction: oneOf(direction, ['forward', 'backward'], `${where}.direction`),
    }),
    ...(maskedOutput !== undefined && {
      maskedOutput: oneOf(maskedOutput, ['repeat', 'zero', 'state'], `${where}.maskedOutput`),
    }),
    ...(clip !== undefined && { clip }),
  }
}

function readTransposed(value: unknown, where: string): Ground<'yes' | 'no'> {
  return stated(bool(value, `${where}.transposed`) ? 'yes' : 'no')
}

/** A name, or an object with the name under `kind` and its parameters beside it. */
function readActivation(value: unknown, where: string): Activation {
  if (typeof value === 'string') return activation(value)
  const { kind, ...parameters } = object(value, where)
  for (const [name, number] of Object.entries(parameters)) {
    if (typeof number !== 'number') {
      throw new GruvError('bad-file', 'a parameter of an activation is a number', {
        where: `${where}.${name}`,
        got: JSON.stringify(number),
      })
    }
  }
  return activation(text(kind, `${where}.kind`), parameters as Readonly<Record<string, number>>)
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

function required(
  tensor: (part: string) => Tensor | undefined,
  part: string,
  where: string,
): Tensor {
  const found = tensor(part)
  if (found !== undefined) return found
  throw new GruvError('bad-file', `the layer has no ${part}`, {
    where: `${where}.tensors`,
    expected: `the name of a tensor under '${part}'`,
  })
}

function stated<T>(value: T): Ground<T> {
  return { value, origin: 'stated', why: 'the file says so' }
}
