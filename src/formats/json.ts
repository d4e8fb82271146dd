/** A JSON object of nested arrays, by name: the weights of one bare layer, as people print them. */

import { readJson } from '../bytes/json.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './arrays.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

export async function readJsonLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  const tensors = readJson(new TextDecoder().decode(file.bytes))
  return bareLayer(baseName(file.name), 'JSON object of arrays', tensors, options)
}
