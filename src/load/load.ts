/** Loads a Model from wherever its bytes are. */

import { GruvError, isGruvError, within } from '../errors.ts'
import type { ReadOptions } from '../formats/format.ts'
import { readModel } from '../formats/index.ts'
import type { Model } from '../model/types.ts'
import { arrive, type ModelSource, nameOf } from './sources.ts'

export interface LoadOptions extends ReadOptions {
  /**
   * Whether to run the model on the reference data inside its file, on this very machine, and
   * refuse it when the outputs are not those that came with it. Only gruv's own files hold any.
   */
  readonly verify?: boolean
  /** For messages, and the model's name where the file has none. */
  readonly name?: string
}

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
    const readOptions: ReadOptions = Object.fromEntries(
      Object.entries(said).filter(([, value]) => value !== undefined && value !== null),
    )
    const { limits } = readOptions
    if (limits) (await import('../limits.ts')).checkLimits(limits)
    const { name: found, ...arrival } = await arrive(source, limits)
    name = given ?? found
    const model = await readModel({ name, ...arrival }, readOptions)
    if (limits) (await import('./limited.ts')).checkModel(model, limits)
    if (verify) (await import('../verify/reference.ts')).verifyReference(model)
    return await (await import('../model/warnings/index.ts')).withWarnings(model)
  } catch (error) {
    throw isGruvError(error) ? within(name, error) : broken(name, error)
  }
}

function broken(name: string, error: unknown): GruvError {
  return new GruvError('bad-file', 'this file broke its reader', {
    where: name,
    got: error instanceof Error ? error.message : String(error),
    fix: 'A wrong file should give a better message than this one: please report it.',
    cause: error,
  })
}
