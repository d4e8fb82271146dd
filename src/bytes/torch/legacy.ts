/**
 * Reads files that `torch.save` wrote before PyTorch 1.6: five pickles in a row (a magic number, a
 * version, the machine, the object, the keys of its storages), then each storage as a count and its
 * numbers.
 */

import { GruvError } from '../../errors.ts'
import { readPickle } from '../pickle/pickle.ts'
import type { PickleValue } from '../pickle/values.ts'
import { quote, showNames } from '../show.ts'
import { items } from './interpreter.ts'
import { elementBytes } from './storage.ts'
import { torchTree } from './tree.ts'
import {
  isStorage,
  isTensor,
  type TorchContents,
  type TorchStorage,
  type TorchValue,
} from './values.ts'

const MAGIC = 0x1950a86a20f9469cfc6cn
const VERSION = 1001

/**
 * @throws GruvError `unsupported` for other pickles, naming what is in them; `bad-file` for damage.
 */
export function readLegacyTorch(bytes: Uint8Array): TorchContents {
  const magic = readPickle(bytes)
  if (magic.value !== MAGIC) throw notTorch(magic.value)
  const version = readPickle(bytes, magic.end)
  if (version.value !== VERSION) {
    throw new GruvError('unsupported', 'this version of the old PyTorch format is not known', {
      expected: `${VERSION}`,
      got: typeof version.value === 'number' ? `${version.value}` : 'no number',
    })
  }
  const system = readPickle(bytes, version.end)
  const object = readPickle(bytes, system.end)
  const keys = readPickle(bytes, object.end)
  const value = torchTree(object.value)
  return {
    container: 'PyTorch file of the old format',
    value,
    littleEndian: !isBigEndian(system.value),
    ...storagesOf(bytes, keys.end, items(keys.value), value),
  }
}

function isBigEndian(system: PickleValue): boolean {
  if (typeof system !== 'object' || system === null || !('kind' in system)) return false
  if (system.kind !== 'dict') return false
  return system.entries.some(([key, value]) => key === 'little_endian' && value === false)
}

/**
 * The storages follow in the order of their keys; the tensors that use them know the width of their
 * numbers.
 */
function storagesOf(
  bytes: Uint8Array,
  start: number,
  keys: readonly PickleValue[],
  value: TorchValue,
): Pick<TorchContents, 'storage'> {
  const known = usedStorages(value)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<string, Uint8Array>()
  let at = start
  for (const each of keys) {
    const key = String(each)
    const user = known.get(key)
    const width = user === undefined ? undefined : elementBytes(user)
    if (user === undefined || width === undefined) {
      throw new GruvError('unsupported', 'a storage is of a kind that is not known', {
        where: `storage ${quote(key)}`,
        got: user?.className ?? 'one that nothing refers to',
      })
    }
    const left = bytes.length - at - 8
    const count = left < 0 ? 0n : view.getBigUint64(at, true)
    if (left < 0 || count * BigInt(width) > BigInt(left)) {
      throw new GruvError('bad-file', 'the file is cut off', {
        where: `storage ${quote(key)}, byte ${at}`,
        expected: left < 0 ? 'a count of eight bytes' : `${count} numbers of ${width} bytes`,
        got: `${Math.max(left, 0)} bytes`,
      })
    }
    const length = Number(count) * width
    found.set(key, bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return {
    storage: async (key) => {
      const storage = found.get(key)
      if (storage !== undefined) return storage
      throw new GruvError('bad-file', 'a storage is missing', {
        where: `storage ${quote(key)}`,
        got: showNames([...found.keys()]),
      })
    },
  }
}

/** Every storage that the tree refers to, by key. */
function usedStorages(value: TorchValue): ReadonlyMap<string, TorchStorage> {
  const storages = new Map<string, TorchStorage>()
  const seen = new Set<TorchValue>()
  const open: TorchValue[] = [value]
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (typeof each !== 'object' || each === null || seen.has(each)) continue
    seen.add(each)
    if (isTensor(each)) open.push(each.storage)
    else if (isStorage(each)) {
      if (each.key !== null) storages.set(each.key, each)
    } else if (each instanceof Map || Array.isArray(each))
      for (const item of each.values()) open.push(item)
    else if ('parts' in each) open.push(each.state, each.parts)
  }
  return storages
}

function notTorch(value: PickleValue): GruvError {
  return new GruvError('unsupported', 'this is a Python pickle, but no file of torch.save', {
    expected: 'a file that torch.save wrote',
    got: `${describe(value)}${classesIn(value)}`,
    fix: 'A plain pickle can run anything when Python loads it. If you trust it, load it in Python and save it again: torch.save(model.state_dict(), "model.pt").',
  })
}

function describe(value: PickleValue): string {
  if (typeof value !== 'object' || value === null) return `a lone ${typeof value}`
  if (!('kind' in value)) return 'bytes'
  if (value.kind !== 'call') return `a ${value.kind}`
  const made = torchTree({ ...value, args: null, state: null, items: [], entries: [] })
  return typeof made === 'object' && made !== null && 'className' in made
    ? `an object of class ${quote(made.className)}`
    : 'a dictionary'
}

/** The names of all classes and functions in a pickle, which show what kind of file it is. */
function classesIn(value: PickleValue): string {
  const names = new Set<string>()
  const seen = new Set<PickleValue>()
  const open: PickleValue[] = [value]
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (typeof each !== 'object' || each === null || seen.has(each)) continue
    seen.add(each)
    if (each instanceof Uint8Array) continue
    if (each.kind === 'global') names.add(`${each.module}.${each.name}`)
    else if (each.kind === 'persistent') open.push(each.id)
    else if (each.kind === 'call') open.push(each.callable, each.args, each.state)
    if ('items' in each) for (const item of each.items) open.push(item)
    if ('entries' in each) for (const [key, item] of each.entries) open.push(key, item)
  }
  return names.size === 0 ? '' : ` with ${showNames([...names].sort(), 5)}`
}
