/** Reads a NumPy archive with the weights of one bare layer. */

import { arraysOf } from '../bytes/numpy/npz.ts'
import { readZip, type ZipEntries } from '../bytes/zip/read.ts'
import type { Model } from '../model/types.ts'
import { bareLayer, type FindArrays } from './bare-layer.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

export async function readNpzLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  const entries = await readZip(file.bytes, options.limits)
  const { names } = options
  const find = names && (await import('./given-names.ts')).byNames(names)
  return npzLayer(file, entries, options, find)
}

/** @param entries of the archive. */
export function npzLayer(
  file: SourceFile,
  entries: ZipEntries,
  options: ReadOptions,
  find?: FindArrays,
): Model {
  return bareLayer(baseName(file.name), 'NumPy archive (.npz)', arraysOf(entries), options, find)
}
