/**
 * safetensors: gruv's own way to ship a model, and bare layers in plain files.
 *
 * A gruv model is a safetensors file whose metadata holds, under `gruv`, the graph and every
 * convention as JSON (docs/format.md). Tensors keep the layout of the framework they came from.
 */

import { readSafetensors, writeSafetensors } from '../bytes/safetensors.ts'
import { within } from '../errors.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './arrays.ts'
import { parseObject } from './decode.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from './format.ts'
import { readGraph, writeGraph } from './gruv/graph.ts'

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

/** The same model, with its reference data if it has some, as the bytes of a file. */
export function writeSafetensorsModel(model: Model): Uint8Array {
  const { graph, tensors } = writeGraph(model)
  return writeSafetensors({ metadata: { gruv: JSON.stringify(graph) }, tensors })
}
