/**
 * Reads safetensors files: gruv's own way to ship a model, and bare layers in plain files.
 *
 * A gruv model is a safetensors file whose metadata holds, under `gruv`, the graph and every
 * convention as JSON (docs/format.md). Tensors keep the layout of the framework they came from.
 */

import { readSafetensors } from '../bytes/safetensors.ts'
import { GruvError, locate } from '../errors.ts'
import type { Model } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from './format.ts'
import {
  fetchTools,
  type GraphDescription,
  type GraphTools,
  parseGraph,
  readGraph,
} from './gruv/read-graph.ts'

/** In words, of files without a description. */
export const BARE = 'safetensors, bare arrays'

export async function readSafetensorsModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const { metadata, tensors } = readSafetensors(file.bytes)
  const graph = describedGraph(metadata, options)
  if (graph !== null) return gruvModel(file, graph, tensors, await fetchTools(graph))
  const { isStateDict } = await import('./recognize/state-dict.ts')
  if (isStateDict(tensors, options)) {
    const { stateDictModel } = await import('./pytorch/index.ts')
    const { stateArrays } = await import('./pytorch/state-arrays.ts')
    return stateDictModel(file, stateArrays(BARE, tensors), options)
  }
  const { bareLayer } = await import('./bare-layer.ts')
  const { names } = options
  const find = names && (await import('./given-names.ts')).byNames(names)
  return bareLayer(baseName(file.name), BARE, tensors, options, find)
}

/** The description of one of gruv's own files; null in others, which hold weights alone. */
export function describedGraph(
  { gruv }: Named<string>,
  options: ReadOptions,
): GraphDescription | null {
  if (gruv === undefined) return null
  for (const option of ['module', 'wiring'] as const) {
    if (options[option] === undefined) continue
    throw new GruvError('bad-argument', `${option} cannot be set for this file`, {
      got: 'a gruv model, which states its graph',
    })
  }
  refuseConventions(options, 'the file states its conventions itself')
  return locate(METADATA, () => parseGraph(gruv))
}

export function gruvModel(
  file: SourceFile,
  graph: GraphDescription,
  tensors: Named<Tensor>,
  tools: GraphTools,
): Model {
  return locate(METADATA, () => readGraph(graph, tensors, baseName(file.name), tools))
}

const METADATA = 'metadata gruv'
