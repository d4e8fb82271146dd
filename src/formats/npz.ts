/** Reads a NumPy archive with the weights of one bare layer. */

import { readNpz } from '../bytes/numpy/npz.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './bare-layer.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

export async function readNpzLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  const tensors = await readNpz(file.bytes, options.limits)
  return bareLayer(baseName(file.name), 'NumPy archive (.npz)', tensors, options)
}
