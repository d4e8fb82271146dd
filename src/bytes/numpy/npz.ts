/**
 * Reads and writes named NumPy arrays (.npz): a zip archive of .npy files, as `numpy.savez` writes
 * it.
 */

import { GruvError, locate } from '../../errors.ts'
import type { LimitOptions } from '../../limits.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { quote, showNames } from '../show.ts'
import { readZip, type ZipEntries } from '../zip/read.ts'
import { writeZip } from '../zip/write.ts'
import { readNpy, writeNpy } from './npy.ts'

const SUFFIX = '.npy'

/** The folder that macOS adds to archives: its entries are named like arrays, but are none. */
const APPLE_DOUBLE = '__MACOSX/'

/**
 * The arrays of an archive, stored or deflated, by name without `.npy`. Other entries are skipped.
 * @throws GruvError `bad-file` for a damaged archive or array, `unsupported` for an archive
 *   without arrays or an array without numbers, `too-large` for zip bombs; `where` names the entry.
 */
export async function readNpz(bytes: Uint8Array, limits?: LimitOptions): Promise<Named<Tensor>> {
  return arraysOf(await readZip(bytes, limits))
}

/** The arrays among the entries of an archive. @throws GruvError as `readNpz`. */
export function arraysOf(entries: ZipEntries): Named<Tensor> {
  const names = [...entries.keys()]
  const arrays = names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith(APPLE_DOUBLE))
  if (arrays.length === 0 && names.length > 0) {
    throw new GruvError('unsupported', 'this zip archive holds no NumPy arrays', {
      expected: `entries named *${SUFFIX}`,
      got: showNames(names),
    })
  }
  const tensors: [string, Tensor][] = []
  for (const name of arrays) {
    const entry = entries.get(name)!.read()
    const tensor = locate(quote(name), () => readNpy(entry))
    tensors.push([name.slice(0, -SUFFIX.length), tensor])
  }
  return Object.fromEntries(tensors)
}

/**
 * An archive that `numpy.load` reads; see `writeNpy` for the types. The same tensors give the same
 * bytes every time.
 * @param options `compress`: as `numpy.savez_compressed`, otherwise as `numpy.savez`.
 */
export async function writeNpz(
  tensors: Named<Tensor>,
  options: { readonly compress?: boolean } = {},
): Promise<Uint8Array> {
  const entries = Object.entries(tensors)
  return writeZip(
    entries.map(([name, tensor]) => ({ name: name + SUFFIX, bytes: writeNpy(tensor) })),
    options,
  )
}
