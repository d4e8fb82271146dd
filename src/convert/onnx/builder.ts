/**
 * Builds an ONNX graph and encodes it. Field numbers:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

import { encodeNumbers } from '../../bytes/numbers/encode.ts'
import {
  bytesField,
  type Field,
  floatField,
  intField,
  message,
  messageField,
  textField,
} from '../../bytes/protobuf/write.ts'
import type { Dim } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { toSingle } from '../weights.ts'

/** The first with LayerNormalization, and the last in which axes of ReduceMean are attributes. */
const OPSET = 17
/** The first version of the format that knows this opset. */
const IR_VERSION = 8

/** TensorProto.DataType */
export const FLOAT = 1
export const INT64 = 7
export const BOOL = 9

/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, text: 3, floats: 6, ints: 7, texts: 8 } as const

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly texts: readonly string[] }

export type Attributes = Readonly<Record<string, Attribute>>

export class OnnxBuilder {
  readonly #nodes: Field[] = []
  readonly #initializers: Field[] = []
  readonly #names = new Set<string>()
  /** The same lists of whole numbers recur, so each has one initializer. */
  readonly #lists = new Map<string, string>()

  /** The layer that is being written; its first operator gets its name. */
  #layer = ''
  #named = true

  enter(layer: string): void {
    this.#layer = layer
    this.#named = false
  }

  /** The name, with a number where it is taken. */
  unique(name: string): string {
    let free = name
    for (let i = 1; this.#names.has(free); i++) free = `${name}_${i}`
    this.#names.add(free)
    return free
  }

  /** @returns the names of its outputs: those given, which must be unused, or a new one. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    outputs: readonly string[] = [this.unique(`${this.#layer}/${type}`)],
  ): readonly string[] {
    const own = !this.#named && type !== 'Transpose' && type !== 'Unsqueeze'
    if (own) this.#named = true
    const name = own ? this.#layer : `${this.#layer}/${type}: ${outputs[0]}`
    this.#nodes.push(
      messageField(1, [
        ...inputs.map((name) => textField(1, name)),
        ...outputs.map((name) => textField(2, name)),
        textField(3, name),
        textField(4, type),
        ...Object.entries(attributes).map(([name, value]) => attributeField(name, value)),
      ]),
    )
    return outputs
  }

  /** A node with a single output. */
  op(
    type: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output?: string | undefined,
  ): string {
    return this.node(type, inputs, attributes, output === undefined ? undefined : [output])[0]
  }

  weights(name: string, tensor: Tensor): string {
    return this.#initializer(name, tensor.shape, FLOAT, encodeNumbers(toSingle(tensor).data))
  }

  scalar(value: number): string {
    const data = Float32Array.of(value)
    return this.#initializer(`number_${value}`, [], FLOAT, encodeNumbers(data))
  }

  /** Whole numbers: shapes, axes and indices. */
  ints(values: readonly (number | bigint)[]): string {
    const key = values.join('_')
    const known = this.#lists.get(key)
    if (known !== undefined) return known
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    const made = this.#initializer(`ints_${key}`, [values.length], INT64, bytes)
    this.#lists.set(key, made)
    return made
  }

  #initializer(name: string, shape: readonly number[], type: number, raw: Uint8Array): string {
    const free = this.unique(name)
    this.#initializers.push(
      messageField(5, [
        ...shape.map((extent) => intField(1, extent)),
        intField(2, type),
        textField(8, free),
        bytesField(9, raw),
      ]),
    )
    return free
  }

  finish(name: string, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Uint8Array {
    return message([
      intField(1, IR_VERSION),
      textField(2, 'gruv'),
      messageField(7, [
        ...this.#nodes,
        textField(2, name),
        ...this.#initializers,
        ...inputs.map((info) => messageField(11, valueInfo(info))),
        ...outputs.map((info) => messageField(12, valueInfo(info))),
      ]),
      messageField(8, [textField(1, ''), intField(2, OPSET)]),
    ])
  }
}

export interface ValueInfo {
  readonly name: string
  readonly type: number
  readonly shape: readonly Dim[]
}

function valueInfo({ name, type, shape }: ValueInfo): readonly Field[] {
  const dims = shape.map((dim) =>
    messageField(1, [typeof dim === 'number' ? intField(1, dim) : textField(2, dim)]),
  )
  const tensor = [intField(1, type), messageField(2, dims)]
  return [textField(1, name), messageField(2, [messageField(1, tensor)])]
}

function attributeField(name: string, value: Attribute): Field {
  const of = (kind: keyof typeof attributeTypes, fields: readonly Field[]): Field =>
    messageField(5, [textField(1, name), ...fields, intField(20, attributeTypes[kind])])
  if ('int' in value) return of('int', [intField(3, value.int)])
  if ('float' in value) return of('float', [floatField(2, value.float)])
  if ('text' in value) return of('text', [textField(4, value.text)])
  if ('ints' in value)
    return of(
      'ints',
      value.ints.map((each) => intField(8, each)),
    )
  if ('floats' in value)
    return of(
      'floats',
      value.floats.map((each) => floatField(7, each)),
    )
  return of(
    'texts',
    value.texts.map((each) => textField(9, each)),
  )
}
