/**
 * Reads safetensors files: gruv's own way to ship a model, and bare layers in plain files.
 *
 * A gruv model is a safetensors file whose metadata holds, under `gruv`, the graph and every
 * convention as JSON (docs/format.md). Tensors keep the layout of the framework they came from.
 */

import { readSafetensors } from '../bytes/safetensors.ts'
import { GruvError, within } from '../errors.ts'
import type { Model } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from './format.ts'
import { readGraph } from './gruv/read-graph.ts'

export async function readSafetensorsModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const { metadata, tensors } = readSafetensors(file.bytes)
  if (metadata.gruv === undefined) return bareModel(file, tensors, options)
  for (const option of ['module', 'wiring'] as const) {
    if (options[option] === undefined) continue
    throw new GruvError('bad-argument', `${option} cannot be set for this file`, {
      got: 'a gruv model, which states its graph',
    })
  }
  refuseConventions(options, 'the file states its conventions itself')
  try {
    return await readGraph(metadata.gruv, tensors, baseName(file.name))
  } catch (error) {
    throw within('metadata gruv', error)
  }
}

/** Weights alone: those of modules of PyTorch, as Hugging Face has them, or of one bare layer. */
async function bareModel(
  file: SourceFile,
  tensors: Named<Tensor>,
  options: ReadOptions,
): Promise<Model> {
  const { isTorchName } = await import('./recognize/top-keys.ts')
  const { module, wiring, names } = options
  const torch = names === undefined && Object.keys(tensors).some(isTorchName)
  if (torch || module !== undefined || wiring !== undefined) {
    const { stateDictModel } = await import('./pytorch/index.ts')
    const { stateArrays } = await import('./pytorch/state-arrays.ts')
    return stateDictModel(file, stateArrays('safetensors, bare arrays', tensors), options)
  }
  const { bareLayer } = await import('./bare-layer.ts')
  return bareLayer(baseName(file.name), 'safetensors, bare arrays', tensors, options)
}
