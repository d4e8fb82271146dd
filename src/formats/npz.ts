/** A NumPy archive with the weights of one bare layer. */

import { readPlainNpz } from '../bytes/plain-npz.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './arrays.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'

/** As NumPy writes it; a page downloads the whole reader (`whole-npz.ts`) for other archives. */
export async function readNpzLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  const tensors = await readPlainNpz(file.bytes)
  if (tensors === null) return (await import('./whole-npz.ts')).readWholeNpz(file, options)
  return bareLayer(baseName(file.name), 'NumPy archive (.npz)', tensors, options)
}
