/**
 * The messages of an ONNX file that matter here: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

import { type Message, message } from '../../bytes/protobuf.ts'

export interface ModelProto {
  readonly producerName: string
  readonly producerVersion: string
  readonly opsets: readonly OpsetProto[]
  readonly graph: GraphProto | undefined
  readonly functions: readonly FunctionProto[]
}

export interface OpsetProto {
  /** '' or `ai.onnx` for ONNX's own operators. */
  readonly domain: string
  readonly version: number
}

export interface GraphProto {
  readonly nodes: readonly NodeProto[]
  readonly name: string
  readonly initializers: readonly TensorProto[]
  readonly sparse: readonly EmptyProto[]
  readonly inputs: readonly ValueInfoProto[]
  readonly outputs: readonly ValueInfoProto[]
}

export interface NodeProto {
  /** '' for an optional input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly name: string
  readonly type: string
  readonly domain: string
  readonly attributes: readonly AttributeProto[]
}

export interface AttributeProto {
  readonly name: string
  /** In a function: the attribute of the call that stands here. */
  readonly reference: string
  readonly float: number | undefined
  readonly int: number | undefined
  readonly string: Uint8Array | undefined
  readonly tensor: TensorProto | undefined
  readonly graph: GraphProto | undefined
  readonly floats: readonly number[]
  readonly ints: readonly number[]
  readonly strings: readonly Uint8Array[]
  readonly graphs: readonly GraphProto[]
}

export interface FunctionProto {
  readonly name: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly NodeProto[]
  readonly opsets: readonly OpsetProto[]
  readonly defaults: readonly AttributeProto[]
}

export interface TensorProto {
  readonly dims: readonly number[]
  readonly type: number
  readonly name: string
  readonly raw: Uint8Array | undefined
  readonly floats: readonly number[]
  /** Also holds int8, uint8, int16, uint16, bool, and the bits of float16 and bfloat16. */
  readonly int32s: readonly number[]
  readonly int64s: readonly number[]
  readonly doubles: readonly number[]
  readonly uint64s: readonly number[]
  /** `location`, `offset`, `length`. */
  readonly external: readonly EntryProto[]
  /** 1: the numbers are in another file. */
  readonly location: number
}

interface EntryProto {
  readonly key: string
  readonly value: string
}

export interface ValueInfoProto {
  readonly name: string
  readonly type: TypeProto | undefined
}

interface TypeProto {
  /** Absent for sequences, maps and the like. */
  readonly tensor: TensorTypeProto | undefined
}

interface TensorTypeProto {
  readonly type: number
  readonly shape: ShapeProto | undefined
}

interface ShapeProto {
  readonly dims: readonly DimProto[]
}

interface DimProto {
  readonly value: number | undefined
  readonly symbol: string | undefined
}

type EmptyProto = Readonly<Record<never, never>>

const empty: Message<EmptyProto> = message({})
const opset: Message<OpsetProto> = message({ domain: [1, 'string'], version: [2, 'int64'] })
const dim: Message<DimProto> = message({
  value: [1, 'int64', 'optional'],
  symbol: [2, 'string', 'optional'],
})
const shape: Message<ShapeProto> = message({ dims: [1, () => dim, 'repeated'] })
const tensorType: Message<TensorTypeProto> = message({
  type: [1, 'enum'],
  shape: [2, () => shape, 'optional'],
})
const type: Message<TypeProto> = message({ tensor: [1, () => tensorType, 'optional'] })
const valueInfo: Message<ValueInfoProto> = message({
  name: [1, 'string'],
  type: [2, () => type, 'optional'],
})
const entry: Message<EntryProto> = message({ key: [1, 'string'], value: [2, 'string'] })

const tensor: Message<TensorProto> = message({
  dims: [1, 'int64', 'repeated'],
  type: [2, 'enum'],
  floats: [4, 'float', 'repeated'],
  int32s: [5, 'int32', 'repeated'],
  int64s: [7, 'int64', 'repeated'],
  name: [8, 'string'],
  raw: [9, 'bytes', 'optional'],
  doubles: [10, 'double', 'repeated'],
  uint64s: [11, 'uint64', 'repeated'],
  external: [13, () => entry, 'repeated'],
  location: [14, 'enum'],
})

const attribute: Message<AttributeProto> = message({
  name: [1, 'string'],
  float: [2, 'float', 'optional'],
  int: [3, 'int64', 'optional'],
  string: [4, 'bytes', 'optional'],
  tensor: [5, () => tensor, 'optional'],
  graph: [6, () => graph, 'optional'],
  floats: [7, 'float', 'repeated'],
  ints: [8, 'int64', 'repeated'],
  strings: [9, 'bytes', 'repeated'],
  graphs: [11, () => graph, 'repeated'],
  reference: [21, 'string'],
})

const node: Message<NodeProto> = message({
  inputs: [1, 'string', 'repeated'],
  outputs: [2, 'string', 'repeated'],
  name: [3, 'string'],
  type: [4, 'string'],
  attributes: [5, () => attribute, 'repeated'],
  domain: [7, 'string'],
})

const graph: Message<GraphProto> = message({
  nodes: [1, () => node, 'repeated'],
  name: [2, 'string'],
  initializers: [5, () => tensor, 'repeated'],
  inputs: [11, () => valueInfo, 'repeated'],
  outputs: [12, () => valueInfo, 'repeated'],
  sparse: [15, () => empty, 'repeated'],
})

const functionMessage: Message<FunctionProto> = message({
  name: [1, 'string'],
  inputs: [4, 'string', 'repeated'],
  outputs: [5, 'string', 'repeated'],
  nodes: [7, () => node, 'repeated'],
  opsets: [9, () => opset, 'repeated'],
  domain: [10, 'string'],
  defaults: [11, () => attribute, 'repeated'],
})

export const modelMessage: Message<ModelProto> = message({
  producerName: [2, 'string'],
  producerVersion: [3, 'string'],
  graph: [7, () => graph, 'optional'],
  opsets: [8, () => opset, 'repeated'],
  functions: [25, () => functionMessage, 'repeated'],
})

/** For test data: a file of one tensor. */
export const tensorMessage = tensor
