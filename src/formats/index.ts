/** The tables of formats, and the finding of the right one by content. */

import type { Model } from '../model/types.ts'
import type { Format, ReadOptions, SourceFile } from './format.ts'
import { readSafetensorsModel } from './safetensors.ts'

/** What a page loads. All other formats are in `foreign.ts`, which is fetched when none of these is it. */
export const formatsAtHand: readonly Format[] = [
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
    read: readSafetensorsModel,
  },
]

const BRACE = 0x7b

/**
 * Reads a model, whatever its format.
 * @throws GruvError `unsupported` when no reader recognises it, naming those there are.
 */
export async function readModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const recognizes = (format: Format): boolean => format.recognizes(file)
  const foreign = () => import('./foreign.ts')
  const format = formatsAtHand.find(recognizes) ?? (await foreign()).foreignFormats.find(recognizes)
  if (format === undefined) throw (await foreign()).noFormat(file)
  for (const option of ['layer', 'until', 'module', 'wiring'] as const) {
    if (options[option] === undefined || format.takes?.includes(option)) continue
    throw (await foreign()).notTaken(option, format)
  }
  return format.read(file, options)
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04
}

/** The name in the first local header (APPNOTE 4.3.7): length at 26, name at 30. */
export function firstEntry(bytes: Uint8Array): string {
  const length = (bytes[26] ?? 0) | ((bytes[27] ?? 0) << 8)
  return String.fromCharCode(...bytes.subarray(30, 30 + Math.min(length, 256)))
}
