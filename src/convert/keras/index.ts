/**
 * Writes `.keras` archives of Keras 3 and their `.weights.h5`. `saving/saving_lib.py` and
 * `models/functional.py` of Keras 3 define the layout.
 */

import { writeZip } from '../../bytes/zip/write.ts'
import { fetchHdf5 } from '../../formats/keras/fetch-hdf5.ts'
import { snakeCase } from '../../formats/keras/object-weights.ts'
import { createModel } from '../../model/graph.ts'
import type { LayerNode, Model } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { Written } from '../target.ts'
import { oneBias, singleWeights, withoutMergedBiases } from '../weights.ts'
import { type KerasGraph, kerasGraph, tensorOf } from './graph.ts'
import { type KerasLayer, kerasShape, type Origin } from './layer.ts'

/** A version that writes such files. */
const KERAS_VERSION = '3.10.0'

/** @throws GruvError `unsupported` for what Keras 3 has no layer for. */
export async function writeKeras(model: Model): Promise<Written> {
  return (await written(model)).archive
}

/**
 * Weights alone, for a model of the same layers in Keras.
 * @throws GruvError as `writeKeras`.
 */
export async function writeKerasWeights(model: Model): Promise<Written> {
  const { archive, weights } = await written(model)
  const note =
    'a .weights.h5 holds no layers: `load_weights` fills a model that has them, such as the .keras'
  return { ...archive, bytes: weights, notes: [...archive.notes, note], proof: archive.bytes }
}

async function written(model: Model): Promise<{ archive: Written; weights: Uint8Array }> {
  const notes: string[] = []
  const single = singleWeights(withOneBias(withoutMergedBiases(model, notes), notes))
  const graph = kerasGraph(single)
  const weights = await weightsFile(graph)
  const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
  // No clock, so that the same model gives the same bytes.
  const metadata = { keras_version: KERAS_VERSION, date_saved: '1980-01-01@00:00:00' }
  const bytes = await writeZip([
    { name: 'metadata.json', bytes: encode(metadata) },
    { name: 'config.json', bytes: encode(configOf(model.name, graph)) },
    { name: 'model.weights.h5', bytes: weights },
  ])
  return { archive: { bytes, notes: [...notes, ...graph.notes], held: single }, weights }
}

/** Keras has one bias in LSTMs, simple RNNs, and GRUs with the reset before. */
function withOneBias(model: Model, notes: string[]): Model {
  const nodes = model.nodes.map((node): LayerNode => {
    if (node.kind !== 'lstm' && node.kind !== 'rnn' && !(node.kind === 'gru' && !node.resetAfter))
      return node
    if (node.kind === 'rnn') {
      const { inputBias, recurrentBias } = node.weights
      const [input, recurrent] = [inputBias, recurrentBias].map((b) => b && { h: b })
      const bias = oneBias(input, recurrent, node.name, notes)
      return {
        ...node,
        weights: { ...node.weights, inputBias: bias?.h ?? null, recurrentBias: null },
      }
    }
    const { inputBias, recurrentBias } = node.weights
    // Spreading keeps the member of the union; TypeScript sees only the common part.
    const bias = oneBias<object>(inputBias, recurrentBias, node.name, notes)
    const weights = { ...node.weights, inputBias: bias, recurrentBias: null }
    const merged = node.kind === 'gru' && node.bias !== 'none' && { bias: 'merged' }
    return { ...node, weights, ...merged } as LayerNode
  })
  return createModel({ ...model, nodes })
}

function configOf(name: string, { inputs, layers, outputs }: KerasGraph): object {
  const shapes = inputs.map(({ shape }) => kerasShape(shape))
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name: snakeCase(name.replaceAll(/\W+/g, '_')) || 'model',
      trainable: true,
      layers: [...inputs.map(inputLayer), ...layers.map(serialized)],
      input_layers: inputs.map(({ layer }) => [layer, 0, 0]),
      output_layers: outputs.map(({ layer, tensor }) => [layer, 0, tensor]),
    },
    registered_name: 'Functional',
    build_config: { input_shape: shapes.length === 1 ? shapes[0] : shapes },
  }
}

function inputLayer({ layer: name, shape, dtype }: Origin): object {
  return {
    module: 'keras.layers',
    class_name: 'InputLayer',
    config: { batch_shape: kerasShape(shape), dtype, sparse: false, ragged: false, name },
    registered_name: null,
    name,
    inbound_nodes: [],
  }
}

function serialized({ className, name, config, inputs, listed, kwargs = {} }: KerasLayer): object {
  const tensors = inputs.map(tensorOf)
  const shapes = inputs.map(({ shape }) => kerasShape(shape))
  return {
    module: 'keras.layers',
    class_name: className,
    config,
    registered_name: null,
    build_config: { input_shape: listed ? shapes : shapes[0] },
    name,
    inbound_nodes: [{ args: listed ? [tensors] : tensors, kwargs }],
  }
}

/** Groups are named by class and counted, whatever the layers are called. */
async function weightsFile({ inputs, layers }: KerasGraph): Promise<Uint8Array> {
  const counts = new Map<string, number>()
  const arrays: Record<string, Tensor> = {}
  const groups = ['vars']
  const add = (className: string, weights: Named<Tensor>): void => {
    const kind = snakeCase(className)
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    const group = `layers/${count === 0 ? kind : `${kind}_${count}`}`
    groups.push(`${group}/vars`)
    for (const [path, tensor] of Object.entries(weights)) arrays[`${group}/${path}`] = tensor
  }
  for (const _ of inputs) add('InputLayer', {})
  for (const { className, weights } of layers) add(className, weights)
  return (await fetchHdf5()).writeHdf5(arrays, groups)
}
