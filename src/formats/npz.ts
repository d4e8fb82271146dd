/** A NumPy archive with the weights of one bare layer. `plain-npz.ts` reads most of them for pages. */

import { readNpz } from '../bytes/npz.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './arrays.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

export async function readNpzLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  // Fetched already, and nothing to unpack archives with is, which is large.
  const { readPlainNpz } = await import('./plain-npz.ts')
  const tensors = await readPlainNpz(file.bytes).catch(() => readNpz(file.bytes))
  return bareLayer(baseName(file.name), 'NumPy archive (.npz)', tensors, options)
}
