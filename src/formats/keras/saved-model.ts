/**
 * Reads the folders that TensorFlow's Keras 2 wrote: SavedModels, whose configuration stands in
 * `keras_metadata.pb` or (2.0 to 2.4) in `saved_model.pb` itself, and checkpoints, whose variables are found through the graph of the objects that own them.
 */

import {
  type Bundle,
  countShards,
  OBJECT_GRAPH,
  readBundle,
} from '../../bytes/tensorflow/bundle.ts'
import {
  type Children,
  childrenOf,
  nodeAt,
  type ObjectGraph,
  type ObjectNode,
  readKerasMetadata,
  readObjectGraph,
  readSavedRoot,
} from '../../bytes/tensorflow/objects.ts'
import { decodeText } from '../../bytes/text.ts'
import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import type { JsonObject } from '../decode.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import { readOptional, readSibling } from '../siblings.ts'
import { importBare } from './bare.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import type { FoundLayer } from './guess.ts'
import { importKeras } from './import.ts'
import { checkDepth, jsonObject } from './settings.ts'
import { hasWeights, missing, modelIn, type NamedTensor, type WeightSource } from './weights.ts'

interface Checkpoint {
  readonly bundle: Bundle
  readonly graph: ObjectGraph
  /** Bytes of all its files. */
  readonly size: number
}

export async function readSavedModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const beside = await readOptional(file, 'keras_metadata.pb')
  const described = describedRoot(file, beside)
  const version = described.keras_version
  const { bundle, graph, size } = await checkpointAt(file, 'variables/variables')
  return importKeras(
    {
      bytes: file.bytes.length + (beside?.length ?? 0) + size,
      name: typeof described.name === 'string' ? described.name : baseName(file.name),
      source: 'TensorFlow SavedModel',
      config: described.model_config ?? described,
      version: typeof version === 'string' ? version : null,
      weights: () => objectGraphWeights({ bundle, graph }),
    },
    options,
  )
}

/** What the folder says of its model, in either of the places of TensorFlow 2. */
function describedRoot(file: SourceFile, beside: Uint8Array | null): JsonObject {
  if (beside !== null) {
    const [root] = readKerasMetadata(beside)
    if (root === undefined) throw new GruvError('bad-file', 'keras_metadata.pb names no object')
    return jsonObject(root.metadata, 'keras_metadata.pb')
  }
  const root = readSavedRoot(file.bytes)
  if (root.metadata.trim().startsWith('{')) return jsonObject(root.metadata, 'saved_model.pb')
  const { tensorflowVersion, identifier } = root
  const by = tensorflowVersion === '' ? '' : ` of TensorFlow ${tensorflowVersion}`
  const keras = identifier?.startsWith('_tf_keras') ?? false
  throw new GruvError('unsupported', 'this SavedModel does not say which layers it has', {
    expected: keras
      ? 'the keras_metadata.pb that TensorFlow 2.5 to 2.15 writes beside it'
      : 'a model that `model.save` of TensorFlow 2.0 to 2.15 wrote',
    got: keras
      ? `a model of Keras${by} without that file`
      : identifier === null
        ? `a graph of operations${by} without objects, as TensorFlow 1 writes it`
        : `operations of TensorFlow alone${by}, as \`tf.saved_model.save\` and \`model.export\` write them`,
    fix: keras
      ? 'Put keras_metadata.pb, which lay beside saved_model.pb, back into the folder.'
      : 'Load the .keras or .h5 file that it was exported from, or save that model again as one.',
  })
}

/** The text file that names the newest of several checkpoints. */
export async function readCheckpointState(file: SourceFile, options: ReadOptions): Promise<Model> {
  const stated = /model_checkpoint_path:\s*"([^"]*)"/.exec(decodeText(file.bytes))
  if (stated === null) throw new GruvError('bad-file', 'the file names no checkpoint')
  // The folder that it was saved in is ignored: the files lie beside this one.
  const prefix = stated[1].split(/[\\/]/).at(-1)!
  return readCheckpointFiles(file, prefix, options)
}

export async function readCheckpoint(file: SourceFile, options: ReadOptions): Promise<Model> {
  const name = file.name.split(/[\\/]/).at(-1)!
  return readCheckpointFiles(file, name.replace(/\.index$/, ''), options)
}

async function readCheckpointFiles(
  file: SourceFile,
  prefix: string,
  options: ReadOptions,
): Promise<Model> {
  const checkpoint = await checkpointAt(file, prefix)
  const layers = layersIn(checkpoint)
  return importBare(
    { name: prefix, source: 'TensorFlow checkpoint', bytes: checkpoint.size },
    layers,
    options,
    true,
  )
}

async function checkpointAt(file: SourceFile, prefix: string): Promise<Checkpoint> {
  const index = await readSibling(file, `${prefix}.index`)
  const digits = (number: number): string => String(number).padStart(5, '0')
  const count = countShards(index)
  const data: Uint8Array[] = []
  for (let i = 0; i < count; i++)
    data.push(await readSibling(file, `${prefix}.data-${digits(i)}-of-${digits(count)}`))
  const bundle = readBundle(index, data)
  const strings = bundle.get(OBJECT_GRAPH)?.readStrings()
  if (strings === undefined || strings.length !== 1) {
    throw new GruvError(
      'unsupported',
      'this checkpoint does not say which objects own its variables',
      {
        where: `${prefix}.index`,
        expected: `an entry ${OBJECT_GRAPH}, as TensorFlow 2 writes it`,
        got: [...bundle.keys()].slice(0, 6).join(', '),
      },
    )
  }
  const size = data.reduce((sum, { length }) => sum + length, index.length)
  return { bundle, graph: readObjectGraph(strings[0]), size }
}

function objectGraphWeights({ bundle, graph }: Pick<Checkpoint, 'bundle' | 'graph'>): WeightSource {
  const numbers = new Map<NetConfig, ReadonlyMap<LayerConfig, number>>()
  const numberOf = (net: NetConfig, layer: LayerConfig): number => {
    const known =
      numbers.get(net) ?? new Map(net.layers.filter(hasWeights).map((each, i) => [each, i]))
    numbers.set(net, known)
    return known.get(layer) ?? -1
  }
  const children = childrenOf(graph)
  return {
    find: (layerPath, slots) => {
      const path = layerPath.flatMap(({ net, layer }) => stepsTo(layer, numberOf(net, layer)))
      const node = nodeAt(graph, path, children)
      return slots.map((slot) => {
        const variable = follow(children, node, [...slot.path, slot.name])
        const key = variable?.attributes.find(({ name }) => name === 'VARIABLE_VALUE')?.key
        const entry = key === undefined ? undefined : bundle.get(key)
        if (entry === undefined)
          throw missing(
            layerPath,
            slots,
            `no variable ${[...path, ...slot.path, slot.name].join('/')}`,
          )
        return entry.read()
      })
    },
  }
}

/** From a model to one of its layers: those with weights are numbered. */
function stepsTo(layer: LayerConfig, number: number): readonly string[] {
  const steps = [`layer_with_weights-${number}`]
  if (layer.model !== null || modelIn(layer) === null) return steps
  for (let inner = layer.inner; inner !== null; inner = inner.inner) steps.push('layer')
  return steps
}

/** Attributes that Keras 2 keeps private have an underscore before their name. */
function follow(
  children: Children,
  node: ObjectNode | undefined,
  path: readonly string[],
): ObjectNode | undefined {
  return path.reduce<ObjectNode | undefined>(
    (here, step) => here && (children(here).get(step) ?? children(here).get(`_${step}`)),
    node,
  )
}

/** Layers of a checkpoint, in the order of the model; those of models in it too. */
export function layersIn({ bundle, graph }: Checkpoint): readonly FoundLayer[] {
  const [root] = graph.nodes
  const models = [root, ...(root?.children ?? []).map(({ node }) => graph.nodes[node])]
  for (const model of models) {
    const found = numbered(graph, model, '', new Set(), 0)
    if (found.length > 0)
      return found.map(({ node, path }) => foundLayer(bundle, graph, node, path))
  }
  throw new GruvError('unsupported', 'this checkpoint holds no layers of Keras by their order', {
    expected: 'objects called layer_with_weights-0, …',
    got:
      (root?.children ?? [])
        .map(({ name }) => name)
        .slice(0, 8)
        .join(', ') || 'nothing',
  })
}

interface Numbered {
  readonly node: ObjectNode
  readonly path: string
}

function numbered(
  graph: ObjectGraph,
  model: ObjectNode | undefined,
  around: string,
  seen: Set<ObjectNode>,
  depth: number,
): readonly Numbered[] {
  checkDepth(depth, around)
  if (model !== undefined) seen.add(model)
  return (model?.children ?? [])
    .map(({ name, node }) => ({
      number: /^layer_with_weights-(\d+)$/.exec(name)?.[1],
      node: graph.nodes[node],
    }))
    .filter(({ number, node }) => number !== undefined && !seen.has(node))
    .sort((a, b) => Number(a.number) - Number(b.number))
    .flatMap(({ number, node }): readonly Numbered[] => {
      const path = `${around}layer_with_weights-${number}`
      const inside = numbered(graph, node, `${path}/`, seen, depth + 1)
      return inside.length > 0 ? inside : [{ node, path }]
    })
}

/** Kernels come before recurrent kernels and biases, the forward half before the backward one. */
const order = ['embeddings', 'kernel', 'recurrent_kernel', 'bias']

function foundLayer(
  bundle: Bundle,
  graph: ObjectGraph,
  node: ObjectNode,
  path: string,
): FoundLayer {
  const arrays: (NamedTensor & { readonly rank: number })[] = []
  let title: string | undefined
  const seen = new Set<ObjectNode>()
  const visit = (here: ObjectNode, steps: readonly string[]): void => {
    if (seen.has(here) || steps.length > 6) return
    seen.add(here)
    for (const { name, key, fullName } of here.attributes) {
      const entry = name === 'VARIABLE_VALUE' ? bundle.get(key) : undefined
      if (entry?.dtype === undefined || !order.includes(steps.at(-1) ?? '')) continue
      title ??= fullName.split('/')[0]
      const rank = order.indexOf(steps.at(-1)!) + (steps[0] === 'backward_layer' ? order.length : 0)
      arrays.push({ name: steps.join('/'), tensor: entry.read(), rank })
    }
    for (const { name, node: next } of here.children) {
      if (name !== 'keras_api') visit(graph.nodes[next], [...steps, name])
    }
  }
  visit(node, [])
  const name = title || path
  arrays.sort((a, b) => a.rank - b.rank)
  return {
    name,
    paths: arrays.map((array) => `${path}/${array.name}`),
    arrays: arrays.map((array) => ({ name: array.name, tensor: array.tensor })),
  }
}
