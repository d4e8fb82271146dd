/** The zip archives of PyTorch: `NAME/data.pkl`, `NAME/data/KEY`, and `NAME/code/` in TorchScript. */

import { GruvError, within } from '../errors.ts'
import { readPickle } from './pickle.ts'
import { quote, showNames } from './show.ts'
import type { TorchContents } from './torch.ts'
import { torchTree } from './torch-tree.ts'
import { readZip } from './zip.ts'

const PICKLE = 'data.pkl'

/** Whether the archive lists an entry `data.pkl`; its directory is read as far as that takes. */
export function isTorchZip(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < END_LENGTH || view.getUint32(0, true) !== LOCAL_HEADER) return false
  // The end record may be followed by a comment, which PyTorch does not write.
  let at = firstEntry(view, bytes.length - END_LENGTH)
  while (at + ENTRY_LENGTH <= bytes.length && view.getUint32(at, true) === ENTRY) {
    const name = bytes.subarray(
      at + ENTRY_LENGTH,
      at + ENTRY_LENGTH + view.getUint16(at + 28, true),
    )
    if (endsWithPickle(name)) return true
    at += ENTRY_LENGTH + name.length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return false
}

// APPNOTE 4.3.7, 4.3.12, 4.3.16, 4.3.14.
const LOCAL_HEADER = 0x04034b50
const ENTRY = 0x02014b50
const ENTRY_LENGTH = 46
const END = 0x06054b50
const END_LENGTH = 22
const END64 = 0x06064b50
const END64_LENGTH = 56
const LOCATOR_LENGTH = 20

/** Where the directory begins. PyTorch always writes the records of zip64 before the end record. */
function firstEntry(view: DataView, end: number): number {
  if (view.getUint32(end, true) !== END) return 0
  const offset = view.getUint32(end + 16, true)
  if (offset !== 0xffffffff) return offset
  const end64 = end - LOCATOR_LENGTH - END64_LENGTH
  if (end64 < 0 || view.getUint32(end64, true) !== END64) return 0
  return Math.min(Number(view.getBigUint64(end64 + 48, true)), end)
}

function endsWithPickle(name: Uint8Array): boolean {
  return new TextDecoder().decode(name).split('/').at(-1) === PICKLE
}

/** @throws GruvError `bad-file` when entries are damaged or missing. */
export async function readTorchZip(bytes: Uint8Array): Promise<TorchContents> {
  const entries = await readZip(bytes)
  const pickles = [...entries.keys()].filter((name) => name.split('/').at(-1) === PICKLE)
  const [name] = pickles
  if (name === undefined || pickles.length > 1) {
    throw new GruvError(
      'bad-file',
      `the archive holds ${pickles.length} entries called ${PICKLE}`,
      {
        expected: 'one',
        got: showNames([...entries.keys()]),
      },
    )
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
