/** The zip archives of PyTorch: `NAME/data.pkl`, `NAME/data/KEY`, and `NAME/code/` in TorchScript. */

import { GruvError, within } from '../errors.ts'
import { readPickle } from './pickle.ts'
import { quote, showNames } from './show.ts'
import type { TorchContents } from './torch.ts'
import { PICKLE } from './torch-magic.ts'
import { torchTree } from './torch-tree.ts'
import { readZip } from './zip.ts'

/** @throws GruvError `bad-file` when entries are damaged or missing. */
export async function readTorchZip(bytes: Uint8Array): Promise<TorchContents> {
  const entries = await readZip(bytes)
  const depth = (name: string): number => name.split('/').length
  // Other files may travel in the archive, deeper down.
  const [name, second] = [...entries.keys()]
    .filter((each) => each.split('/').at(-1) === PICKLE)
    .sort((a, b) => depth(a) - depth(b))
  if (name === undefined || (second !== undefined && depth(second) === depth(name))) {
    throw new GruvError('bad-file', `the archive does not hold one entry called ${PICKLE}`, {
      got: showNames([...entries.keys()]),
    })
  }
  const folder = name.slice(0, -PICKLE.length)
  const pickle = await entries.get(name)!.read()
  const order = entries.get(`${folder}byteorder`)
  const littleEndian =
    order === undefined || new TextDecoder().decode(await order.read()).trim() !== 'big'
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
    value: inEntry(name, () => torchTree(readPickle(pickle).value)),
    littleEndian,
    storage: (key) => {
      const known = storages.get(key) ?? read(key)
      storages.set(key, known)
      return known
    },
  }
}

function inEntry<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw within(quote(name), error)
  }
}
