/** safetensors without a graph. */

import type { Model } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { bareLayer } from './arrays.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'
import { stateArrays } from './state-arrays.ts'
import { isTorchName } from './top-keys.ts'

/** Weights alone: those of modules of PyTorch, as Hugging Face has them, or of one bare layer. */
export async function bareModel(
  file: SourceFile,
  tensors: Named<Tensor>,
  options: ReadOptions,
): Promise<Model> {
  const { module, wiring, names } = options
  const torch = names === undefined && Object.keys(tensors).some(isTorchName)
  if (torch || module !== undefined || wiring !== undefined) {
    const { stateDictModel } = await import('./pytorch.ts')
    return stateDictModel(file, stateArrays('safetensors, bare arrays', tensors), options)
  }
  return bareLayer(baseName(file.name), 'safetensors, bare arrays', tensors, options)
}
