/**
 * Describes the messages of an ONNX file that gruv reads:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

import { type MessageOf, message } from '../../bytes/protobuf/read.ts'

const opset = message({
  /** '' or `ai.onnx` for ONNX's own operators. */
  domain: [1, 'string'],
  version: [2, 'int64'],
})
export type OpsetProto = MessageOf<typeof opset>

const dim = message({ value: [1, 'int64', 'optional'], symbol: [2, 'string', 'optional'] })
const shape = message({ dims: [1, () => dim, 'repeated'] })
const tensorType = message({ type: [1, 'enum'], shape: [2, () => shape, 'optional'] })
/** The tensor is absent for sequences, maps and the like. */
const type = message({ tensor: [1, () => tensorType, 'optional'] })
const valueInfo = message({ name: [1, 'string'], type: [2, () => type, 'optional'] })
export type ValueInfoProto = MessageOf<typeof valueInfo>

const entry = message({ key: [1, 'string'], value: [2, 'string'] })
const tensor = message({
  dims: [1, 'int64', 'repeated'],
  type: [2, 'enum'],
  floats: [4, 'float', 'repeated'],
  /** Also holds int8, uint8, int16, uint16, bool, and the bits of float16 and bfloat16. */
  int32s: [5, 'int32', 'repeated'],
  int64s: [7, 'int64', 'repeated'],
  name: [8, 'string'],
  raw: [9, 'bytes', 'optional'],
  doubles: [10, 'double', 'repeated'],
  uint64s: [11, 'uint64', 'repeated'],
  /** `location`, `offset`, `length`. */
  external: [13, () => entry, 'repeated'],
  /** 1: the numbers are in another file. */
  location: [14, 'enum'],
})
export type TensorProto = MessageOf<typeof tensor>

const attribute = message({
  name: [1, 'string'],
  float: [2, 'float', 'optional'],
  int: [3, 'int64', 'optional'],
  string: [4, 'bytes', 'optional'],
  tensor: [5, () => tensor, 'optional'],
  /** A graph of its own, read when it is needed: most branches are not. */
  graph: [6, 'bytes', 'optional'],
  floats: [7, 'float', 'repeated'],
  ints: [8, 'int64', 'repeated'],
  strings: [9, 'bytes', 'repeated'],
  /** In a function: the attribute of the call that stands here. */
  reference: [21, 'string'],
})
export type AttributeProto = MessageOf<typeof attribute>

const node = message({
  /** '' for an optional input that is left out. */
  inputs: [1, 'string', 'repeated'],
  outputs: [2, 'string', 'repeated'],
  name: [3, 'string'],
  type: [4, 'string'],
  attributes: [5, () => attribute, 'repeated'],
  domain: [7, 'string'],
})
export type NodeProto = MessageOf<typeof node>

const empty = message({})
const graph = message({
  nodes: [1, () => node, 'repeated'],
  name: [2, 'string'],
  initializers: [5, () => tensor, 'repeated'],
  inputs: [11, () => valueInfo, 'repeated'],
  outputs: [12, () => valueInfo, 'repeated'],
  sparse: [15, () => empty, 'repeated'],
})
export type GraphProto = MessageOf<typeof graph>

/** For graphs inside attributes. */
export const graphMessage = graph

const functionMessage = message({
  name: [1, 'string'],
  inputs: [4, 'string', 'repeated'],
  outputs: [5, 'string', 'repeated'],
  nodes: [7, () => node, 'repeated'],
  opsets: [9, () => opset, 'repeated'],
  domain: [10, 'string'],
  defaults: [11, () => attribute, 'repeated'],
})
export type FunctionProto = MessageOf<typeof functionMessage>

export const modelMessage = message({
  producerName: [2, 'string'],
  producerVersion: [3, 'string'],
  graph: [7, () => graph, 'optional'],
  opsets: [8, () => opset, 'repeated'],
  functions: [25, () => functionMessage, 'repeated'],
})
export type ModelProto = MessageOf<typeof modelMessage>

/** For test data: a file of one tensor. */
export const tensorMessage = tensor
