/**
 * safetensors: gruv's own way to ship a model, and bare layers in plain files.
 *
 * A gruv model as most are is read here; a page downloads the whole reader (`whole-safetensors.ts`)
 * for the others, and for what is wrong with a file.
 */

import { readPlainSafetensors } from '../bytes/plain-safetensors.ts'
import type { Model } from '../model/types.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'
import { readPlainGraph } from './gruv/plain.ts'

export async function readSafetensorsModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const plain = readPlainSafetensors(file.bytes)
  if (plain !== null && plain.metadata.gruv === undefined)
    return (await import('./bare-safetensors.ts')).bareModel(file, plain.tensors, options)
  // A gruv model states everything itself: options for it are a mistake.
  if (plain !== null && Object.keys(options).length === 0) {
    const model = await readPlainGraph(plain.metadata.gruv, plain.tensors, baseName(file.name))
    if (model !== null) return model
  }
  return (await import('./whole-safetensors.ts')).readSafetensorsModel(file, options)
}
