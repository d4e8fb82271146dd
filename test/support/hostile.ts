/**
 * Small files that ask for much: Keras archives and ONNX graphs, made to measure.
 */

import { writeHdf5 } from '../../src/bytes/hdf5/write.ts'
import { bytesField, intField, message, textField } from '../../src/bytes/protobuf/write.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'

type Json = Readonly<Record<string, unknown>>

/** A layer of Keras 3 and the layers that it reads, each as often as it is called. */
export interface KerasLayer {
  readonly name: string
  readonly className: string
  readonly config?: Json
  readonly calls: readonly (readonly string[])[]
}

/** A functional model from the input `in`; its last layer is the output. */
export function functional(name: string, shape: readonly unknown[], layers: readonly KerasLayer[]) {
  const counts = new Map<string, number>()
  const tensor = (layer: string): Json => ({
    class_name: '__keras_tensor__',
    config: { shape, dtype: 'float32', keras_history: [layer, (counts.get(layer) ?? 1) - 1, 0] },
  })
  const written = layers.map(({ name, className, config, calls }) => {
    const nodes = calls.map((inputs) => {
      const args = inputs.map(tensor)
      counts.set(name, (counts.get(name) ?? 0) + 1)
      return { args: args.length === 1 ? args : [args], kwargs: {} }
    })
    return {
      class_name: className,
      name,
      config: { name, trainable: true, dtype: 'float32', ...config },
      inbound_nodes: nodes,
    }
  })
  const last = layers.at(-1)!
  return {
    class_name: 'Functional',
    config: {
      name,
      layers: [
        {
          class_name: 'InputLayer',
          name: 'in',
          config: { batch_shape: shape, dtype: 'float32', name: 'in' },
          inbound_nodes: [],
        },
        ...written,
      ],
      input_layers: [['in', 0, 0]],
      output_layers: [[last.name, last.calls.length - 1, 0]],
    },
  }
}

/** A `.keras` archive without weights. */
export async function kerasArchive(config: Json): Promise<Uint8Array> {
  const text = (value: Json): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
  return writeZip(
    [
      { name: 'metadata.json', bytes: text({ keras_version: '3.3.3' }) },
      { name: 'config.json', bytes: text(config) },
      { name: 'model.weights.h5', bytes: await writeHdf5({}) },
    ],
    { compress: true },
  )
}

export interface OnnxNode {
  readonly type: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly domain?: string
  /** Lists of whole numbers, or one. */
  readonly ints?: Readonly<Record<string, number | readonly number[]>>
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly inputs: Readonly<Record<string, readonly (string | number)[]>>
  readonly outputs: readonly string[]
  /** int64 vectors. */
  readonly constants?: Readonly<Record<string, readonly number[]>>
  readonly functions?: readonly {
    readonly name: string
    readonly inputs: readonly string[]
    readonly outputs: readonly string[]
    readonly nodes: readonly OnnxNode[]
  }[]
}

const FLOAT = 1
const INT64 = 7

/** An ONNX file, opset 17; numbers of fields as in onnx.proto. */
export function onnxFile({ nodes, inputs, outputs, constants = {}, functions = [] }: OnnxGraph) {
  const opset = (domain: string, version: number) =>
    message([textField(1, domain), intField(2, version)])
  const nodeOf = ({ type, inputs, output, domain, ints = {} }: OnnxNode) =>
    message([
      ...inputs.map((each) => textField(1, each)),
      textField(2, output),
      textField(4, type),
      ...Object.entries(ints).map(([name, value]) =>
        bytesField(
          5,
          message([
            textField(1, name),
            ...(typeof value === 'number'
              ? [intField(3, value), intField(20, 2)]
              : [...value.map((each) => intField(8, each)), intField(20, 7)]),
          ]),
        ),
      ),
      ...(domain === undefined ? [] : [textField(7, domain)]),
    ])
  const valueInfo = (name: string, dims: readonly (string | number)[]) => {
    const shape = dims.map((dim) =>
      bytesField(1, message([typeof dim === 'number' ? intField(1, dim) : textField(2, dim)])),
    )
    const tensor = message([intField(1, FLOAT), bytesField(2, message(shape))])
    return message([textField(1, name), bytesField(2, message([bytesField(1, tensor)]))])
  }
  const constantOf = ([name, values]: readonly [string, readonly number[]]) =>
    message([
      intField(1, values.length),
      intField(2, INT64),
      ...values.map((value) => intField(7, value)),
      textField(8, name),
    ])
  const graph = message([
    ...nodes.map((each) => bytesField(1, nodeOf(each))),
    textField(2, 'hostile'),
    ...Object.entries(constants).map((each) => bytesField(5, constantOf(each))),
    ...Object.entries(inputs).map(([name, dims]) => bytesField(11, valueInfo(name, dims))),
    ...outputs.map((name) => bytesField(12, valueInfo(name, []))),
  ])
  return message([
    intField(1, 8),
    bytesField(7, graph),
    bytesField(8, opset('', 17)),
    bytesField(8, opset('own', 1)),
    ...functions.map(({ name, inputs, outputs, nodes }) =>
      bytesField(
        25,
        message([
          textField(1, name),
          ...inputs.map((each) => textField(4, each)),
          ...outputs.map((each) => textField(5, each)),
          ...nodes.map((each) => bytesField(7, nodeOf(each))),
          bytesField(9, opset('', 17)),
          bytesField(9, opset('own', 1)),
          textField(10, 'own'),
        ]),
      ),
    ),
  ])
}
