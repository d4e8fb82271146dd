/** Loads a Model from wherever its bytes are. */

import { readModel } from '../formats/index.ts'
import type { Model } from '../model/types.ts'
import { type LoadOptions, ofFile, setOptions } from './options.ts'
import { arrive, type ModelSource, nameOf } from './sources.ts'

/**
 * Reads a trained model from a path (Node; a file, or a folder), a URL, or bytes; the format is
 * recognised by content. Files that belong to it are looked for beside it.
 * @throws GruvError with the file's name in `where`; nothing in a file is ever executed. With
 *   `verify`, `differs` when the outputs are not those in the file, `not-found` when it has none.
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const { verify, name: given, ...said } = options
  let name = given ?? nameOf(source)
  try {
    const readOptions = setOptions(said)
    const { limits } = readOptions
    if (limits) (await import('../limits.ts')).checkLimits(limits)
    const { name: found, ...arrival } = await arrive(source, limits)
    name = given ?? found
    const model = await readModel({ name, ...arrival }, readOptions)
    if (limits) (await import('./limited.ts')).checkModel(model, limits)
    if (verify) (await import('../verify/reference.ts')).verifyReference(model)
    return await (await import('../model/warnings/index.ts')).withWarnings(model)
  } catch (error) {
    throw ofFile(name, error)
  }
}
