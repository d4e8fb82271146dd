/** A NumPy archive with the weights of one bare layer. */

import { readPlainNpz } from '../bytes/plain-npz.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './arrays.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

export async function readNpzLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  const tensors =
    (await readPlainNpz(file.bytes)) ??
    (await (await import('../bytes/npz.ts')).readNpz(file.bytes))
  return bareLayer(baseName(file.name), 'NumPy archive (.npz)', tensors, options)
}
