import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../src/bytes/crc32.ts'
import { type Bundle, OBJECT_GRAPH, readBundle } from '../../src/bytes/tensorflow/bundle.ts'
import {
  nodeAt,
  type ObjectGraph,
  type ObjectNode,
  readKerasMetadata,
  readObjectGraph,
} from '../../src/bytes/tensorflow/objects.ts'
import { maskCrc32c, readSstable } from '../../src/bytes/tensorflow/sstable.ts'
import { isGruvError } from '../../src/errors.ts'
import { errorOf } from '../support/errors.ts'
import { fixture, fixtureJson } from '../support/fixtures.ts'
import { flipBytes, shiftBytes, truncateEverywhere } from '../support/fuzz.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

const index = fixture('tensorflow/variables.index')
const shards = [0, 1].map((i) => fixture(`tensorflow/variables.data-0000${i}-of-00002`))
const expected = fixtureJson<
  Readonly<Record<string, { shape: number[]; dtype: string; data: number[] }>>
>('tensorflow/expected.json')

/** Reads everything, damaged or not, and throws the first error that is no GruvError. */
async function readAll(indexFile: Uint8Array, files: readonly Uint8Array[]): Promise<Bundle> {
  const bundle = readBundle(indexFile, files)
  let refused: unknown
  for (const entry of bundle.values()) {
    for (const read of [entry.read, entry.readStrings]) {
      try {
        read()
      } catch (error) {
        if (!isGruvError(error)) throw error
        if (error.code === 'bad-file') refused ??= error
      }
    }
  }
  if (refused !== undefined) throw refused
  return bundle
}

/** Corrects the checksum of the first block after a change. */
function withChecksum(table: Uint8Array, size: number): Uint8Array {
  const sum = maskCrc32c(crc32c(table.subarray(0, size + 1)))
  new DataView(table.buffer).setUint32(size + 1, sum, true)
  return table
}

/** A table of one block and an index of one entry, both given as bytes. */
function tableOf(block: Uint8Array): Uint8Array {
  const size = block.length
  const indexBlock = [
    0,
    1,
    5,
    0x7e,
    0,
    ...[0, 7, 14, 21].map((shift) => ((size >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0)),
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
  ]
  const at = size + 5
  const file = new Uint8Array(at + indexBlock.length + 5 + 48)
  const view = new DataView(file.buffer)
  file.set(block)
  file.set(indexBlock, at)
  view.setUint32(size + 1, maskCrc32c(crc32c(file.subarray(0, size + 1))), true)
  const end = at + indexBlock.length
  view.setUint32(end + 1, maskCrc32c(crc32c(file.subarray(at, end + 1))), true)
  const handle = [0, 7, 14, 21].map((shift) => ((at >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0))
  file.set([0, 0, ...handle, indexBlock.length], end + 5)
  view.setBigUint64(file.length - 8, 0xdb4775248b80fb57n, true)
  return file
}

describe('CRC-32C', () => {
  test('the check value of the polynomial, in one piece or two', () => {
    const digits = new TextEncoder().encode('123456789')
    expect(crc32c(digits)).toBe(0xe3069283)
    expect(crc32c(digits.subarray(4), crc32c(digits.subarray(0, 4)))).toBe(0xe3069283)
  })
})

describe('a checkpoint', () => {
  test('every tensor of every type, from two shards', async () => {
    const bundle = readBundle(index, shards)
    for (const [key, { shape, dtype, data }] of Object.entries(expected)) {
      const entry = bundle.get(key)!
      const tensor = entry.read()
      expect([key, entry.shape, entry.dtype]).toEqual([key, shape, dtype])
      expect([tensor.shape, tensor.dtype, [...tensor.data]]).toEqual([shape, dtype, data])
    }
  })

  test('strings come as bytes', async () => {
    const strings = readBundle(index, shards).get('strings')!
    expect([strings.shape, strings.dtype]).toEqual([[2, 2], undefined])
    const text = strings.readStrings().map((bytes) => new TextDecoder().decode(bytes))
    expect(text).toEqual(['', 'one', '\0'.repeat(300), 'four'])
  })

  test.each([
    ['strings', 'DT_STRING'],
    ['resource', 'DataType 20'],
  ])('%s are no numbers, and refused only when read', async (key, got) => {
    const entry = readBundle(index, shards).get(key)!
    expect(await errorOf(entry.read)).toMatchObject({
      code: 'unsupported',
      where: `"${key}"`,
      got,
    })
  })

  test('slices are refused, and numbers as strings', async () => {
    const bundle = readBundle(index, shards)
    expect((await errorOf(bundle.get('sliced')!.read)).code).toBe('unsupported')
    expect((await errorOf(bundle.get('float32')!.readStrings)).code).toBe('unsupported')
  })

  test('a missing shard is named, one that is cut off or changed is seen', async () => {
    expect(await errorOf(() => readBundle(index, [shards[0]]))).toMatchObject({
      code: 'not-found',
      expected: '2 .data files',
    })
    const cut = readBundle(index, [shards[0].slice(0, 10), shards[1]])
    expect((await errorOf(cut.get('float32')!.read)).code).toBe('bad-file')
    const changed = shards[0].slice()
    changed[3] ^= 1
    const entry = readBundle(index, [changed, shards[1]]).get('float32')!
    expect(await errorOf(entry.read)).toMatchObject({ problem: 'the checksum is not right' })
  })

  test('the object graph gives variables, and nodes by path', async () => {
    const bundle = readBundle(index, shards)
    const graph = readObjectGraph(bundle.get(OBJECT_GRAPH)!.readStrings()[0])
    const key = (name: string): string =>
      `layer_with_weights-0/cell/${name}/.ATTRIBUTES/VARIABLE_VALUE`
    expect(nodeAt(graph, ['layer-0', 'cell', 'kernel'])?.attributes).toEqual([
      { name: 'VARIABLE_VALUE', key: key('kernel'), fullName: 'gru/gru_cell/kernel' },
    ])
    const node = nodeAt(graph, ['layer_with_weights-0', 'cell', 'bias'])
    expect(node?.attributes[0].key).toBe(key('bias'))
    expect(nodeAt(graph, ['layer_with_weights-0', 'nothing'])).toBeUndefined()
    expect(nodeAt(graph, [])).toBe(graph.nodes[0])
  })

  test('the objects of Keras', async () => {
    expect(readKerasMetadata(fixture('tensorflow/keras_metadata.pb'))).toEqual([
      {
        node: 1,
        path: 'root',
        identifier: '_tf_keras_sequential',
        metadata: '{"class_name": "Sequential"}',
      },
      {
        node: 7,
        path: 'root.layer_with_weights-0',
        identifier: '_tf_keras_rnn_layer',
        metadata: '{"name": "größe"}',
      },
    ])
  })
})

describe('hostile checkpoints', () => {
  test('no table at all', async () => {
    const error = await errorOf(() => readBundle(new Uint8Array(100), shards))
    expect(error).toMatchObject({ code: 'bad-file', problem: 'this is no sorted string table' })
  })

  test('Snappy is refused by name', async () => {
    const size = 11
    const file = tableOf(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0))
    file[size] = 1
    const error = await errorOf(() => readSstable(withChecksum(file, size)))
    expect(error).toMatchObject({ code: 'unsupported', got: 'Snappy' })
  })

  /** One name of `name` bytes, then entries of seven bytes that take all of it and add two. */
  const repeating = (name: number, more: number): Uint8Array => {
    const block = new Uint8Array(5 + name + 7 * more + 8)
    const varint = [(name & 0x7f) | 0x80, ((name >> 7) & 0x7f) | 0x80, name >> 14]
    block.set([0, ...varint, 0])
    for (let i = 0; i < more; i++) {
      const added = [0x20 + (i % 90), 0x20 + Math.floor(i / 90)]
      block.set([...varint, 2, 0, ...added], 5 + name + 7 * i)
    }
    block.set([1, 0, 0, 0], block.length - 4)
    return tableOf(block)
  }

  test.each([
    ['a name longer than any', 20_000, 1, 'a name in the table is too long'],
    [
      '60,000 long names that share all but two bytes',
      4000,
      60_000,
      'the names in the table are too long for its size',
    ],
  ])('%s', async (_, name, more, problem) => {
    const file = repeating(name, more)
    const started = performance.now()
    expect(await errorOf(() => readSstable(file))).toMatchObject({ code: 'too-large', problem })
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test('names of 4,000 bytes that do share are read', () => {
    expect([...readSstable(repeating(4000, 3)).keys()].map((key) => key.length)).toEqual([
      4000, 4002, 4002, 4002,
    ])
  })

  test('an object graph that names what does not exist', async () => {
    const bytes = Uint8Array.of(0x0a, 4, 0x0a, 2, 0x08, 5)
    expect(await errorOf(() => readObjectGraph(bytes))).toMatchObject({
      code: 'bad-file',
      got: '5',
    })
  })

  test('the index: cut off anywhere, flipped and shifted by the thousand', async () => {
    const read = (bytes: Uint8Array): Promise<Bundle> => readAll(bytes, shards)
    await readAll(index, shards)
    const cut = await truncateEverywhere(index, read)
    expect(cut.refused).toBe(cut.runs)
    const flipped = await flipBytes(index, read, { runs: 2000, seed: 1 })
    expect(flipped.refused).toBeGreaterThan(1500)
    await shiftBytes(index, read, { runs: 1000, seed: 2 })
  }, 60_000)

  test('entries with right checksums and wrong content', async () => {
    const first = index.slice()
    const { length } = blockOf(first)
    const read = (block: Uint8Array): Promise<Bundle> => {
      const file = first.slice()
      file.set(block.subarray(0, length))
      return readAll(withChecksum(file, length), shards)
    }
    const report = await flipBytes(first.slice(0, length), read, { runs: 3000, seed: 3 })
    expect(report.refused).toBeGreaterThan(500)
  }, 60_000)

  test('shards, the object graph and the objects of Keras, flipped by the thousand', async () => {
    const graph = readBundle(index, shards).get(OBJECT_GRAPH)!.readStrings()[0]
    const metadata = fixture('tensorflow/keras_metadata.pb')
    const variables = async (bytes: Uint8Array): Promise<unknown> =>
      variablesOf(readObjectGraph(bytes))
    await flipBytes(shards[0], (bytes) => readAll(index, [bytes, shards[1]]), {
      runs: 300,
      seed: 4,
    })
    await flipBytes(graph, variables, { runs: 2000, seed: 5 })
    await shiftBytes(graph, variables, { runs: 1000, seed: 6 })
    await flipBytes(metadata, readKerasMetadata, { runs: 1000, seed: 7 })
  }, 60_000)
})

/** The variables of all objects. */
function variablesOf({ nodes }: ObjectGraph): readonly ObjectNode['attributes'][number][] {
  return nodes.flatMap(({ attributes }) =>
    attributes.filter(({ name }) => name === 'VARIABLE_VALUE'),
  )
}

/** The first block: what lies before its trailer, found by its checksum. */
function blockOf(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer)
  for (let size = 8; size + 5 < file.length; size++) {
    const sum = maskCrc32c(crc32c(file.subarray(0, size + 1)))
    if (sum === view.getUint32(size + 1, true)) return file.subarray(0, size)
  }
  throw new Error('no block')
}

const published = haveShared
  ? readdirSync(sharedPath('models')).filter((name) => /^(sm|ckpt)-/.test(name))
  : []

describe.skipIf(!haveShared)('published checkpoints', () => {
  test.each(published)('%s: every variable, its checksum right', async (name) => {
    const inner = sharedPath(`models/${name}/variables`)
    const place = existsSync(inner) ? inner : sharedPath(`models/${name}`)
    const bytes = (file: string): Uint8Array => new Uint8Array(readFileSync(`${place}/${file}`))
    const files = readdirSync(place).sort()
    const bundle = await readAll(
      bytes(files.find((file) => file.endsWith('.index'))!),
      files.filter((file) => file.includes('.data-')).map(bytes),
    )
    const graph = readObjectGraph(bundle.get(OBJECT_GRAPH)!.readStrings()[0])
    const variables = variablesOf(graph)
    expect(variables.length).toBeGreaterThan(4)
    for (const { key } of variables) expect([key, bundle.has(key)]).toEqual([key, true])
    const kernels = variables.filter(({ fullName }) => fullName.endsWith('/recurrent_kernel'))
    expect(kernels.length).toBeGreaterThan(0)
    for (const { key } of kernels) {
      const [units, gates] = bundle.get(key)!.shape
      expect([1, 3, 4]).toContain(gates / units)
    }
    const metadata = sharedPath(`models/${name}/keras_metadata.pb`)
    if (!existsSync(metadata)) return
    const objects = readKerasMetadata(new Uint8Array(readFileSync(metadata)))
    expect(objects[0].path).toBe('root')
    for (const object of objects) expect(() => JSON.parse(object.metadata)).not.toThrow()
  })
})
