/**
 * Reads PyTorch's zip archives: `NAME/data.pkl`, `NAME/data/KEY`, and `NAME/code/` in TorchScript.
 */

import { GruvError, locate } from '../../errors.ts'
import type { LimitOptions } from '../../limits.ts'
import { readPickle } from '../pickle/pickle.ts'
import { quote, showNames } from '../show.ts'
import { readZip } from '../zip/read.ts'
import { torchTree } from './tree.ts'
import type { TorchContents } from './values.ts'

/** The name of the pickle in an archive. */
const PICKLE = 'data.pkl'

/** @throws GruvError `bad-file` when entries are damaged or missing. */
export async function readTorchZip(
  bytes: Uint8Array,
  limits: LimitOptions | undefined,
): Promise<TorchContents> {
  const entries = await readZip(bytes, limits)
  const depth = (name: string): number => name.split('/').length
  // The archive may hold other files, deeper down.
  const [name, second] = [...entries.keys()]
    .filter((each) => each.split('/').at(-1) === PICKLE)
    .sort((a, b) => depth(a) - depth(b))
  if (name === undefined || (second !== undefined && depth(second) === depth(name))) {
    throw new GruvError('bad-file', `the archive does not hold one entry called ${PICKLE}`, {
      got: showNames([...entries.keys()]),
    })
  }
  const folder = name.slice(0, -PICKLE.length)
  const pickle = entries.get(name)!.read()
  const order = entries.get(`${folder}byteorder`)
  const littleEndian =
    order === undefined || new TextDecoder().decode(order.read()).trim() !== 'big'
  const storages = new Map<string, Promise<Uint8Array>>()
  const read = async (key: string): Promise<Uint8Array> => {
    const entry = entries.get(`${folder}data/${key}`)
    if (entry !== undefined) return entry.read()
    throw new GruvError('bad-file', 'a storage is missing in the archive', {
      where: quote(`${folder}data/${key}`),
    })
  }
  const scripted = [...entries.keys()].some((each) => each === `${folder}constants.pkl`)
  return {
    container: scripted ? 'TorchScript archive' : 'PyTorch archive',
    value: locate(quote(name), () => torchTree(readPickle(pickle).value)),
    littleEndian,
    storage: (key) => {
      const known = storages.get(key) ?? read(key)
      storages.set(key, known)
      return known
    },
  }
}
