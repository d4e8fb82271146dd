/**
 * Changes files by what they mean: values and keys of JSON, fields of protocol buffers, entries of
 * zip archives, links and attributes of HDF5. Checksums and lengths are right afterwards, so that
 * readers look further than at those.
 */

import { hdf5Library } from '../../src/bytes/hdf5/library.ts'
import type { Library } from '../../src/bytes/hdf5/session.ts'
import { BIT32, BIT64, DELIMITED, VARINT, WireReader } from '../../src/bytes/protobuf/wire.ts'
import { bytesField, intField, message } from '../../src/bytes/protobuf/write.ts'
import { readZip } from '../../src/bytes/zip/read.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'
import { isGruvError } from '../../src/errors.ts'

/** Random whole numbers from 0 up to a limit, without it. */
export type Below = (limit: number) => number

/** Bytes, changed in one way. */
export type Mutation = (bytes: Uint8Array, below: Below) => Uint8Array | Promise<Uint8Array>

function oneOf<T>(list: readonly T[], below: Below): T {
  return list[below(list.length)]
}

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])

/** What no field of a description expects, and what JavaScript's own objects have under their names. */
export const hostileValues: readonly unknown[] = [
  null,
  true,
  '',
  'constructor',
  '__proto__',
  'toString',
  'x'.repeat(3000),
  -1,
  0,
  0.5,
  1e8,
  2 ** 53,
  [],
  [null],
  {},
  { toString: 1, valueOf: 1 },
  [{ toString: 1, valueOf: 1 }],
  { value: 0, toString: 1, valueOf: 1 },
  { class_name: 'constructor', config: null },
  JSON.parse('{"__proto__": {"a": 1}}'),
  deep(40),
]

/** Where a value lies: keys and numbers of items. */
export type Place = readonly (string | number)[]

/** Every place of a JSON value, its own first; of a long list only the first items and the last. */
export function* placesOf(json: unknown, here: Place = []): Generator<Place> {
  yield here
  if (typeof json !== 'object' || json === null) return
  const entries = Array.isArray(json) ? [...json.entries()] : Object.entries(json)
  for (const [key, each] of entries)
    if (typeof key === 'string' || key < 3 || key === entries.length - 1)
      yield* placesOf(each, [...here, key])
}

function valueAt(json: unknown, place: Place): unknown {
  return place.reduce((here: unknown, key) => (here as Record<string | number, unknown>)[key], json)
}

/** A copy with another value at a place; undefined takes away what is there. */
export function withValue(json: unknown, place: Place, value: unknown): unknown {
  const [key, ...rest] = place
  if (key === undefined) return value
  if (Array.isArray(json)) {
    const items = json.map((each, i) => (i === key ? withValue(each, rest, value) : each))
    return items.filter((each) => each !== undefined)
  }
  const entries = Object.entries(json as object).map(([name, each]) => [
    name,
    name === key ? withValue(each, rest, value) : each,
  ])
  return Object.fromEntries(entries.filter(([, each]) => each !== undefined))
}

/** A value, a key or the number of items changed at a random place. */
function mutateJson(json: unknown, below: Below): unknown {
  const places = [...placesOf(json)]
  const place = oneOf(places, below)
  const value = valueAt(json, place)
  const some = valueAt(json, oneOf(places, below))
  const isObject = typeof value === 'object' && value !== null
  switch (below(6)) {
    case 0:
      return withValue(json, place, some)
    case 1:
      return withValue(json, place, place.length === 0 ? [] : undefined)
    case 2:
      if (typeof value === 'number')
        return withValue(json, place, oneOf([-value, value + 1, value * 1e6, 1e15], below))
      break
    case 3:
      if (Array.isArray(value))
        return withValue(json, place, Array.from({ length: 1 + below(40) }, () => value).flat())
      break
    case 4:
      if (isObject && !Array.isArray(value)) {
        const name = oneOf(['__proto__', 'constructor', 'toString', ''], below)
        const at = below(Object.keys(value).length)
        const entries = Object.entries(value).map(([key, each], i) => [i === at ? name : key, each])
        return withValue(json, place, Object.fromEntries(entries))
      }
      break
  }
  return withValue(json, place, oneOf(hostileValues, below))
}

function mutateText(text: string, below: Below): string {
  return JSON.stringify(mutateJson(JSON.parse(text), below))
}

export const jsonFile: Mutation = (bytes, below) =>
  new TextEncoder().encode(mutateText(new TextDecoder().decode(bytes), below))

/** The header of a safetensors file, or the description of a model in it. */
export const safetensorsHeader: Mutation = (bytes, below) => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  const described = header.__metadata__?.gruv
  const changed = new TextEncoder().encode(
    JSON.stringify(
      described !== undefined && below(4) > 0
        ? { ...header, __metadata__: { gruv: mutateText(described, below) } }
        : mutateJson(header, below),
    ),
  )
  const file = new Uint8Array(8 + changed.length + bytes.length - 8 - length)
  new DataView(file.buffer).setBigUint64(0, BigInt(changed.length), true)
  file.set(changed, 8)
  file.set(bytes.subarray(8 + length), 8 + changed.length)
  return file
}

/** A field of a message: its number, and an integer, a message or bytes as they are. */
interface WireField {
  readonly number: number
  readonly value: bigint | WireField[] | Uint8Array
  /** As it was, with its tag, for the types that are not changed. */
  readonly raw: Uint8Array
}

/** Null for bytes that are no message. Text can look like one: it is changed as one then. */
function fieldsOf(bytes: Uint8Array, depth = 0): WireField[] | null {
  const reader = new WireReader(bytes)
  const fields: WireField[] = []
  try {
    while (reader.at < reader.end) {
      const start = reader.at
      const [number, type] = reader.tag()
      let value: WireField['value'] = new Uint8Array()
      if (type === VARINT) value = BigInt(reader.int64())
      else if (type === DELIMITED) {
        const inner = reader.bytes()
        value = (inner.length > 1 && depth < 12 && fieldsOf(inner, depth + 1)) || inner
      } else if (type === BIT32 || type === BIT64) reader.skip(type, number)
      else return null
      fields.push({ number, value, raw: bytes.subarray(start, reader.at) })
    }
  } catch {
    return null
  }
  return fields
}

function bytesOf(fields: readonly WireField[]): Uint8Array {
  return message(
    fields.map(({ number, value, raw }) =>
      typeof value === 'bigint'
        ? intField(number, value)
        : Array.isArray(value)
          ? bytesField(number, bytesOf(value))
          : raw.length === 0 || value.length > 0
            ? bytesField(number, value)
            : raw,
    ),
  )
}

const extents = [0n, -1n, 1n, 7n, 1000n, 10n ** 8n, 2n ** 31n, 2n ** 62n]

/** One field changed, left out, doubled, or put in another's place; names go to other names. */
export const protobufFields: Mutation = (bytes, below) => {
  const root = fieldsOf(bytes) ?? []
  const messages: WireField[][] = []
  const visit = (fields: WireField[]): void => {
    messages.push(fields)
    for (const { value } of fields) if (Array.isArray(value)) visit(value)
  }
  visit(root)
  const all = messages.flat()
  for (let changes = 1 + below(2); changes > 0; changes--) {
    const fields = oneOf(messages, below)
    if (fields.length === 0) continue
    const at = below(fields.length)
    const field = fields[at]
    const changed = (value: WireField['value']): WireField => ({ ...field, value, raw: NOTHING })
    switch (below(6)) {
      case 0:
        fields.splice(at, 1)
        break
      case 1:
        fields.splice(at, 0, ...Array.from({ length: 1 + below(30) }, () => field))
        break
      case 2:
        fields.splice(at, 0, structuredClone(oneOf(all, below)))
        break
      case 3: {
        const other = oneOf(all, below)
        fields[at] = changed(structuredClone(other.value))
        break
      }
      default:
        if (typeof field.value === 'bigint') fields[at] = changed(oneOf(extents, below))
        else if (field.value instanceof Uint8Array && field.value.length > 0) {
          const names = all.filter(({ value }) => value instanceof Uint8Array && value.length > 0)
          const name = oneOf(['__proto__', 'constructor', '', '../x', '/etc/passwd'], below)
          fields[at] = changed(
            below(2) === 0 ? oneOf(names, below).value : new TextEncoder().encode(name),
          )
        }
    }
  }
  return bytesOf(root)
}

const NOTHING = new Uint8Array()

/** One byte changed to any value, or to an extreme. */
export const oneByte: Mutation = (bytes, below) => {
  const broken = bytes.slice()
  if (broken.length > 0) broken[below(broken.length)] = oneOf([below(256), 0, 0x7f, 0xff], below)
  return broken
}

/**
 * One entry of an archive changed, by what it is; left out, or under another name. The archive itself
 * is right.
 */
export const zipEntries: Mutation = async (bytes, below) => {
  const entries = [...(await readZip(bytes))].map(([name, entry]) => ({
    name,
    bytes: entry.read(),
  }))
  const at = below(entries.length)
  const { name, bytes: content } = entries[at]
  const kind = below(8)
  if (kind === 0) entries.splice(at, 1)
  else if (kind === 1)
    entries[at] = {
      name: oneOf(['constructor', '../x', `${name}x`], below),
      bytes: content,
    }
  else {
    const mutate = /\.json$/.test(name) ? jsonFile : /\.h5$/.test(name) ? hdf5Members : oneByte
    entries[at] = { name, bytes: await mutate(content, below) }
  }
  const unique = new Map(entries.map((each) => [each.name, each]))
  return writeZip([...unique.values()])
}

const PATH = '/mutated.h5'

interface Files {
  readonly readFile: (path: string) => Uint8Array
  readonly writeFile: (path: string, bytes: Uint8Array) => void
  readonly unlink: (path: string) => void
}

/** A link, a group, an array or an attribute more or less in an HDF5 file. */
export const hdf5Members: Mutation = async (bytes, below) => {
  const { File, Group, ready } = await hdf5Library()
  const files = ((await ready) as Library).FS as unknown as Files
  files.writeFile(PATH, bytes)
  try {
    const file = new File(PATH, 'a')
    try {
      const paths = ['/', ...file.paths().map((path) => `/${path.replace(/^\/+/, '')}`)]
      const path = oneOf(paths, below)
      const found = path === '/' ? file : file.get(path)
      const group = found instanceof Group ? found : file
      const name = oneOf(['vars', '0', 'layers', 'kernel:0', '__proto__', 'a\\'.repeat(200)], below)
      const target = oneOf(paths, below)
      const config = file.attrs.model_config?.value
      switch (below(8)) {
        case 0:
          group.create_soft_link(target, name)
          break
        case 1:
          group.create_hard_link(target, name)
          break
        case 2:
          group.create_external_link(oneOf(['/etc/passwd', 'x.h5'], below), target, name)
          break
        case 3: {
          let inner = group
          for (let depth = 1 + below(80); depth > 0; depth--) inner = inner.create_group(name)
          break
        }
        case 4: {
          const shape = oneOf([[0], [1e8], [1, 1e8], [3, 4], [2 ** 20, 2 ** 20]], below)
          const whole = shape.reduce((a, b) => a * b, 1) < 100
          group.create_dataset({
            name,
            data: new Float32Array(whole ? shape.reduce((a, b) => a * b, 1) : 0),
            shape: whole ? shape : [0],
            dtype: '<f4',
            ...(!whole && { maxshape: [null], chunks: [16] }),
          })
          if (!whole) (group.get(name) as { resize?: (shape: number[]) => number }).resize?.([1e9])
          break
        }
        default:
          if (typeof config === 'string') {
            file.delete_attribute('model_config')
            file.create_attribute('model_config', mutateText(config, below))
          } else group.create_attribute(name, 'constructor')
      }
    } finally {
      file.close()
    }
    return files.readFile(PATH).slice()
  } catch (error) {
    // The library refuses some changes, such as a name that is there.
    if (isGruvError(error) || error instanceof RangeError) throw error
    return bytes
  } finally {
    files.unlink(PATH)
  }
}
