/** Finds the format of a file by its content, and reads it. */

import type { Model } from '../model/types.ts'
import { checkTaken, coreFormats, recognized } from './core.ts'
import type { Format, ReadOptions, SourceFile } from './format.ts'

const core = coreFormats<Format['read']>(
  async (file, options) => (await import('./npz.ts')).readNpzLayer(file, options),
  async (file, options) => (await import('./safetensors.ts')).readSafetensorsModel(file, options),
)

/**
 * Reads a model, whatever its format.
 * @throws GruvError `unsupported` when no reader recognises it, naming those there are.
 */
export async function readModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const format = recognized(core, file) ?? (await otherFormat(file))
  checkTaken(format, options)
  return format.read(file, options)
}

async function otherFormat(file: SourceFile): Promise<Format> {
  const { others } = await import('./others.ts')
  const format = recognized(others, file)
  if (format !== undefined) return format
  const { unknownFormat } = await import('./recognize/unknown.ts')
  throw unknownFormat(
    file.bytes,
    [...core, ...others].map(({ title }) => title),
  )
}
