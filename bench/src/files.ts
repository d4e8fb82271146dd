/** Writes the layer as the files that contenders load: ONNX and safetensors. */

import { type Layer, transpose, type Work } from './layer.ts'
import { leb } from './leb.ts'

/**
 * One GRU node with `linear_before_reset`. Extents are fixed to the workload, so that the runtime
 * can prepare for them. Field numbers: onnx.proto3. Inputs X [steps, rows, features] and initial_h
 * [1, rows, units], outputs Y [steps, 1, rows, units] and Y_h [1, rows, units].
 */
export function toOnnx(
  { units, features, kernel, recurrentKernel, bias }: Layer,
  work: Work,
): Uint8Array {
  const { rows } = work
  const steps = work.name === 'stream' ? 1 : work.steps
  const node = message([
    ...['X', 'W', 'R', 'B', '', 'initial_h'].map((name) => text(1, name)),
    text(2, 'Y'),
    text(2, 'Y_h'),
    text(4, 'GRU'),
    bytes(5, message([text(1, 'hidden_size'), varint(3, units), varint(20, ATTRIBUTE_INT)])),
    bytes(5, message([text(1, 'linear_before_reset'), varint(3, 1), varint(20, ATTRIBUTE_INT)])),
  ])
  const graph = message([
    bytes(1, node),
    text(2, 'gru'),
    bytes(5, tensor('W', [1, 3 * units, features], transpose(kernel, features, 3 * units))),
    bytes(5, tensor('R', [1, 3 * units, units], transpose(recurrentKernel, units, 3 * units))),
    bytes(5, tensor('B', [1, 6 * units], bias)),
    bytes(11, port('X', [steps, rows, features])),
    bytes(11, port('initial_h', [1, rows, units])),
    bytes(12, port('Y', [steps, 1, rows, units])),
    bytes(12, port('Y_h', [1, rows, units])),
  ])
  const opset = message([varint(2, 22)])
  return message([varint(1, 10), bytes(7, graph), bytes(8, opset)])
}

/** A bare layer under Keras's names. */
export function toSafetensors({
  units,
  features,
  kernel,
  recurrentKernel,
  bias,
}: Layer): Uint8Array {
  const tensors = [
    ['kernel', [features, 3 * units], kernel],
    ['recurrent_kernel', [units, 3 * units], recurrentKernel],
    ['bias', [2, 3 * units], bias],
  ] as const
  const header: Record<string, object> = {}
  let end = 0
  for (const [name, shape, { byteLength }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + byteLength] }
    end += byteLength
  }
  const json = JSON.stringify(header)
  const head = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setUint32(0, head.length, true)
  return message([length, head, ...tensors.map(([, , data]) => raw(data))])
}

const FLOAT = 1
const ATTRIBUTE_INT = 2

function tensor(name: string, dims: readonly number[], data: Float32Array): Uint8Array {
  return message([
    ...dims.map((dim) => varint(1, dim)),
    varint(2, FLOAT),
    text(8, name),
    bytes(9, raw(data)),
  ])
}

function port(name: string, dims: readonly number[]): Uint8Array {
  const shape = message(dims.map((dim) => bytes(1, message([varint(1, dim)]))))
  const type = message([bytes(1, message([varint(1, FLOAT), bytes(2, shape)]))])
  return message([text(1, name), bytes(2, type)])
}

function raw(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Protocol buffers: a field is a key of number and wire type, then its value. */
function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([...leb(field << 3), ...leb(value)])
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return message([Uint8Array.from([...leb((field << 3) | 2), ...leb(value.length)]), value])
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value))
}

function message(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
