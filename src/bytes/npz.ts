/** Named NumPy arrays (.npz): a zip archive of .npy files, as `numpy.savez` writes it. */

import { GruvError, within } from '../errors.ts'
import type { Named, Tensor } from '../tensor.ts'
import { readNpy, writeNpy } from './npy.ts'
import { quote, showNames } from './show.ts'
import { readZip, writeZip } from './zip.ts'

const SUFFIX = '.npy'

/** What macOS adds to archives: named like arrays, but none. */
const APPLE_DOUBLE = '__MACOSX/'

/**
 * The arrays of an archive, stored or deflated, by name without `.npy`. Other entries are passed over.
 * @throws GruvError `bad-file` for a damaged archive or array, `unsupported` for an archive
 *   without arrays or an array without numbers, `too-large` for zip bombs; `where` names the entry.
 */
export async function readNpz(bytes: Uint8Array): Promise<Named<Tensor>> {
  const entries = await readZip(bytes)
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
    const entry = await entries.get(name)!.read()
    try {
      tensors.push([name.slice(0, -SUFFIX.length), readNpy(entry)])
    } catch (error) {
      throw within(quote(name), error)
    }
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
