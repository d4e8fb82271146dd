/** Reads a NumPy archive with the weights of one bare layer. */

import { arraysOf } from '../bytes/numpy/npz.ts'
import { readZip, type ZipEntries } from '../bytes/zip/read.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './bare-layer.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

export async function readNpzLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  return npzLayer(file, await readZip(file.bytes, options.limits), options)
}

/** @param entries of the archive. */
export function npzLayer(file: SourceFile, entries: ZipEntries, options: ReadOptions): Model {
  return bareLayer(baseName(file.name), 'NumPy archive (.npz)', arraysOf(entries), options)
}
