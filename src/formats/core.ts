/** Lists the formats that pages load most; all others are in `others.ts`, which is fetched. */

import { isZip } from '../bytes/zip/records.ts'
import { GruvError } from '../errors.ts'
import { type Format, firstEntry, type ReadOptions, type SourceFile } from './format.ts'

const BRACE = 0x7b

/** The rows, with their readers: fetched ones (`index.ts`), or those at hand (`gruv/core`). */
export function coreFormats<R>(npz: R, safetensors: R): readonly Format<R>[] {
  return [
    {
      id: 'npz',
      title: 'NumPy archive (.npz) with the weights of a bare layer',
      recognizes: ({ bytes }) => isZip(bytes) && firstEntry(bytes).endsWith('.npy'),
      read: npz,
    },
    {
      id: 'safetensors',
      title: 'safetensors (.safetensors), gruv model, PyTorch modules or bare layer',
      takes: ['module', 'wiring'],
      // An eight-byte length, then a JSON object.
      recognizes: ({ bytes }) =>
        bytes.length > 9 && bytes[8] === BRACE && bytes[6] === 0 && bytes[7] === 0,
      read: safetensors,
    },
  ]
}

/** The format of a file, if it is among these. */
export function recognized<R>(
  formats: readonly Format<R>[],
  file: SourceFile,
): Format<R> | undefined {
  return formats.find(({ recognizes }) => recognizes(file))
}

/** @throws GruvError `bad-argument` for an option that the reader of this format does not know. */
export function checkTaken({ title, takes }: Format<unknown>, options: ReadOptions): void {
  for (const option of ['layer', 'until', 'set', 'module', 'wiring'] as const) {
    if (options[option] === undefined || takes?.includes(option)) continue
    throw new GruvError('bad-argument', `${option} cannot be set for this file`, { got: title })
  }
}
