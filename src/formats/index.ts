/** Finds the format of a file by its content, and reads it. */

import { isZip } from '../bytes/zip/records.ts'
import { GruvError } from '../errors.ts'
import type { Model } from '../model/types.ts'
import { type Format, firstEntry, type ReadOptions, type SourceFile } from './format.ts'

/** The formats that pages load most; all others are in `others.ts`, which is fetched. */
const core: readonly Format[] = [
  {
    id: 'npz',
    title: 'NumPy archive (.npz) with the weights of a bare layer',
    recognizes: ({ bytes }) => isZip(bytes) && firstEntry(bytes).endsWith('.npy'),
    read: async (file, options) => (await import('./npz.ts')).readNpzLayer(file, options),
  },
  {
    id: 'safetensors',
    title: 'safetensors (.safetensors), gruv model, PyTorch modules or bare layer',
    takes: ['module', 'wiring'],
    // An eight-byte length, then a JSON object.
    recognizes: ({ bytes }) =>
      bytes.length > 9 && bytes[8] === BRACE && bytes[6] === 0 && bytes[7] === 0,
    read: async (file, options) =>
      (await import('./safetensors.ts')).readSafetensorsModel(file, options),
  },
]

const BRACE = 0x7b

/**
 * Reads a model, whatever its format.
 * @throws GruvError `unsupported` when no reader recognises it, naming those there are.
 */
export async function readModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const format = core.find(({ recognizes }) => recognizes(file)) ?? (await otherFormat(file))
  for (const option of ['layer', 'until', 'set', 'module', 'wiring'] as const) {
    if (options[option] === undefined || format.takes?.includes(option)) continue
    throw new GruvError('bad-argument', `${option} cannot be set for this file`, {
      got: format.title,
    })
  }
  return format.read(file, options)
}

async function otherFormat(file: SourceFile): Promise<Format> {
  const { others } = await import('./others.ts')
  const format = others.find(({ recognizes }) => recognizes(file))
  if (format !== undefined) return format
  const { unknownFormat } = await import('./recognize/unknown.ts')
  throw unknownFormat(
    file.bytes,
    [...core, ...others].map(({ title }) => title),
  )
}
