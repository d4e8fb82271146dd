/**
 * Reads ONNX models (.onnx): https://github.com/onnx/onnx/blob/main/docs/IR.md
 *
 * Values that follow from trained numbers and fixed extents are computed while reading; the rest
 * becomes a Model. docs/onnx.md says which operators are read, and how.
 */

import { readMessage } from '../../bytes/protobuf/read.ts'
import { GruvError } from '../../errors.ts'
import { Budget } from '../../limits.ts'
import { createModel } from '../../model/graph.ts'
import type { LayerNode, Model } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import { type Imported, operators, type Source, walk } from './import.ts'
import { allNeeded } from './needed.ts'
import {
  type AttributeProto,
  type GraphProto,
  graphMessage,
  type ModelProto,
  modelMessage,
  type OpsetProto,
  type TensorProto,
} from './proto.ts'
import { Learned, Symbols } from './symbols.ts'
import { decodeTensor, readExternalData } from './tensors.ts'

const OLDEST_OPSET = 7
const NEWEST_OPSET = 23

/** @throws GruvError `unsupported` naming every operator that is not read. */
export async function readOnnxModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const model = readMessage(file.bytes, modelMessage)
  const { graph } = model
  if (graph === undefined || graph.outputs.length === 0) {
    throw new GruvError('bad-file', 'there is no graph in this ONNX file', {
      fix: 'The file was cut off, or is no ONNX model.',
    })
  }
  if (options.names !== undefined) {
    throw new GruvError('bad-argument', 'names cannot be set for this file', {
      got: 'an ONNX graph, which says itself which array is which',
    })
  }
  const functions = new Map(
    model.functions.map((each) => [`${each.domain}::${each.name}`, each] as const),
  )
  const opset = opsetOf(model.opsets)
  if (graph.sparse.length > 0) {
    throw new GruvError('unsupported', 'sparse initializers are not read')
  }
  const { set = {}, until } = options
  checkSet(graph, set)
  const subgraphs = new Map<AttributeProto, GraphProto>()
  const external = await readExternalData(file, graph, model.functions)
  const size = [...external.values()].reduce((sum, { length }) => sum + length, file.bytes.length)
  const budget = (): Budget => Budget.reading(options.limits, size)
  const decoded = new Map<TensorProto, Tensor>()
  const source: Source = {
    graph,
    outputs: outputsOf(graph, until),
    functions,
    budget,
    walks: budget(),
    set,
    branches: new Map(),
    subgraph: (attribute) => {
      const before = subgraphs.get(attribute)
      if (before !== undefined) return before
      const made = readMessage(attribute.graph ?? new Uint8Array(), graphMessage)
      subgraphs.set(attribute, made)
      return made
    },
    setting: {
      opset,
      conventions: options.conventions ?? {},
      fromPytorch: /^(pytorch|torch)/i.test(model.producerName),
      decode: (tensor) => {
        const before = decoded.get(tensor)
        if (before !== undefined) return before
        const value = decodeTensor(tensor, external)
        decoded.set(tensor, value)
        return value
      },
    },
  }
  const { inputs, nodes, outputs, warnings } = imported(source)
  checkConventions(nodes, options)
  const isRead = ({ name }: { readonly name: string }): boolean =>
    nodes.some((node) => Object.values(node.inputs).includes(name))
  return createModel({
    name: baseName(file.name),
    source: `ONNX opset ${opset}${producer(model)}`,
    // Of a part of the graph, what that part reads.
    inputs: until === undefined && Object.keys(set).length === 0 ? inputs : inputs.filter(isRead),
    outputs,
    nodes,
    warnings,
  })
}

const MOST_WALKS = 200

/** Walks until nothing new is learned about the extents. */
function imported(source: Source): Imported {
  const symbols = new Symbols()
  for (let walks = 0; walks < MOST_WALKS; walks++) {
    try {
      refuseUnknown(source)
      return walk(source, symbols)
    } catch (error) {
      // Each time the meaning of one symbol of the file becomes known, and there are not many.
      if (!(error instanceof Learned)) throw error
    }
  }
  throw new GruvError('bad-file', 'the extents of this graph contradict each other', {
    where: 'graph',
  })
}

function producer({ producerName, producerVersion }: ModelProto): string {
  const text = `${producerName} ${producerVersion}`.trim().slice(0, 60)
  return text === '' ? '' : `, by ${text}`
}

function opsetOf(opsets: readonly OpsetProto[]): number {
  const own = opsets.find(({ domain }) => isOwn(domain))
  const version = own?.version ?? 1
  if (version >= OLDEST_OPSET && version <= NEWEST_OPSET) return version
  throw new GruvError('unsupported', 'this version of the operators is not read', {
    where: 'opset_import',
    expected: `from ${OLDEST_OPSET} to ${NEWEST_OPSET}`,
    got: own === undefined ? 'none' : `${version}`,
    fix: 'onnx.version_converter brings a model to another version.',
  })
}

function isOwn(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

/** The outputs that are wanted: the graph's own, or the values that `until` names. */
function outputsOf(graph: GraphProto, until: ReadOptions['until']): Source['outputs'] {
  const own = graph.outputs.map(({ name }) => ({ name, value: name }))
  if (until === undefined) return own
  const values = new Set([...own.map(({ name }) => name), ...graph.nodes.flatMap((n) => n.outputs)])
  return [until].flat().map((name) => {
    if (values.has(name)) return { name, value: name }
    const value = graph.nodes
      .find((node) => node.name === name)
      ?.outputs.find((each) => each !== '')
    if (name !== '' && value !== undefined) return { name, value }
    const known = [...own, ...graph.nodes.toReversed()].map((each) => each.name).filter(Boolean)
    throw new GruvError('not-found', `the graph has no output, value or node '${name}' to end at`, {
      where: 'until',
      expected: `such as ${[...new Set(known)].slice(0, 12).join(', ')}`,
    })
  })
}

function checkSet({ inputs, initializers }: GraphProto, set: Source['set']): void {
  const own = new Set(initializers.map(({ name }) => name))
  const names = inputs.map(({ name }) => name).filter((name) => !own.has(name))
  for (const [name, value] of Object.entries(set)) {
    if (!names.includes(name)) {
      throw new GruvError('not-found', `there is no input '${name}' to set`, {
        expected: `one of ${names.join(', ')}`,
      })
    }
    if (Number.isFinite(value)) continue
    throw new GruvError('bad-argument', 'an input is set to a number', {
      where: `set ${name}`,
      got: `${value}`,
    })
  }
}

/** Everything that cannot be read, in one message. What no wanted output needs is not looked at. */
function refuseUnknown({ graph, outputs, functions, branches }: Source): void {
  const unknown = new Map<string, number>()
  const wanted = outputs.map(({ value }) => value)
  for (const { domain, type } of allNeeded(graph.nodes, wanted, branches, functions)) {
    if (functions.has(`${domain}::${type}`)) continue
    if (isOwn(domain) && (type === 'If' || Object.hasOwn(operators, type))) continue
    const name = isOwn(domain) ? type : `${domain}.${type}`
    unknown.set(name, (unknown.get(name) ?? 0) + 1)
  }
  if (unknown.size === 0) return
  const names = [...unknown.keys()].map((name) => name.slice(0, 60))
  const list = [...unknown].map(([, count], i) =>
    count === 1 ? names[i] : `${names[i]} (${count} times)`,
  )
  const shown =
    list.length > MOST_NAMES
      ? [...list.slice(0, MOST_NAMES), `${list.length - MOST_NAMES} more`]
      : list
  const flow = names.some((name) => name === 'Loop' || name === 'Scan')
  const quantised = names.some((name) => /quantize|integer|^qlinear/i.test(name))
  throw new GruvError(
    'unsupported',
    flow
      ? 'layers hidden in control flow (Loop, Scan) are not read'
      : quantised
        ? 'quantised models are not read'
        : 'operators of this graph are not read',
    {
      where: 'graph',
      expected: 'the operators listed in docs/onnx.md',
      got: shown.join(', '),
      fix: flow
        ? 'Export recurrent layers as GRU, LSTM or RNN operators: with tf2onnx, for instance, from a Keras model whose layers are not unrolled into a while loop; or give gruv the Keras model itself.'
        : quantised
          ? 'Give the model from before it was quantised.'
          : 'onnxsim or another exporter may write the same model without them; `--until NAME`, or the option `until`, ends the graph before them.',
    },
  )
}

const MOST_NAMES = 20

function checkConventions(nodes: readonly LayerNode[], options: ReadOptions): void {
  const said = Object.keys(options.conventions ?? {})
  if (said.length === 0 || nodes.some(({ kind }) => kind === 'gru')) return
  throw new GruvError('bad-argument', `${said.join(', ')} cannot be set for this file`, {
    got: 'an ONNX graph without a GRU',
  })
}
