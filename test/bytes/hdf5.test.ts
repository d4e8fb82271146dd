import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readHdf5 } from '../../src/bytes/hdf5/hdf5.ts'
import { hdf5Sessions } from '../../src/bytes/hdf5/session.ts'
import { type Hdf5Dataset, type Hdf5Group, memberAt } from '../../src/bytes/hdf5/tree.ts'
import { writeHdf5 } from '../../src/bytes/hdf5/write.ts'
import { encodeNumbers } from '../../src/bytes/numbers/encode.ts'
import { readZip } from '../../src/bytes/zip/read.ts'
import { dtypeOf, showShape, type Tensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { fixture as anyFixture, fixtureJson } from '../support/fixtures.ts'
import { flipBytes, shiftBytes, truncateEverywhere } from '../support/fuzz.ts'
import { few } from '../support/sample.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

const fixture = (name: string): Uint8Array => anyFixture(`hdf5/${name}.h5`)

interface Plain {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: readonly (number | string)[]
}
interface Expected {
  readonly datasets: Readonly<Record<string, Plain>>
  readonly attributes: Readonly<Record<string, string | readonly string[] | Plain>>
}
const expected = fixtureJson<Readonly<Record<string, Expected>>>('hdf5/expected.json')
const digests = fixtureJson<Readonly<Record<string, string>>>('hdf5/digests.json')

const plain = (tensor: Tensor): Plain => ({
  shape: tensor.shape,
  dtype: dtypeOf(tensor),
  data: Array.from(tensor.data, (value) =>
    Number.isFinite(value) ? value : value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan',
  ),
})

function* datasetsOf(group: Hdf5Group): Generator<Hdf5Dataset> {
  for (const member of group.members.values()) {
    if (member.kind === 'dataset') yield member
    else yield* datasetsOf(member)
  }
}

function* attributesOf(item: Hdf5Group | Hdf5Dataset): Generator<[string, unknown]> {
  for (const [name, value] of item.attributes) {
    const isNumbers = typeof value === 'object' && 'data' in value
    yield [`${item.path} ${name}`, isNumbers ? plain(value) : value]
  }
  if (item.kind === 'dataset') return
  for (const member of item.members.values()) yield* attributesOf(member)
}

/** Reads everything in a file. */
async function readAll(bytes: Uint8Array): Promise<Tensor[]> {
  const tensors: Tensor[] = []
  for (const dataset of datasetsOf(await readHdf5(bytes))) {
    // Another compression, in the fixtures: it would hide other refusals.
    if (dataset.dtype !== undefined && dataset.path !== '/lzf') tensors.push(dataset.read())
  }
  return tensors
}

describe('what h5py writes is read as h5py reads it', () => {
  test.each(Object.keys(expected))('%s: every dataset and attribute', async (name) => {
    const root = await readHdf5(fixture(name))
    const { datasets, attributes } = expected[name]
    for (const [path, numbers] of Object.entries(datasets)) {
      const dataset = memberAt(root, path) as Hdf5Dataset
      if (path === '/lzf') continue
      expect([path, plain(dataset.read())]).toEqual([path, numbers])
      expect([dataset.dtype, dataset.shape, dataset.path]).toEqual([
        numbers.dtype,
        numbers.shape,
        path,
      ])
    }
    expect(Object.fromEntries(attributesOf(root))).toEqual(attributes)
  })

  test('names may hold backslashes, any letters and what objects inherit', async () => {
    const root = await readHdf5(fixture('names'))
    expect(root.members.get('layers\\gru\\cell')).toMatchObject({ kind: 'group' })
    expect(memberAt(root, 'layers\\gru\\cell/vars/0')).toMatchObject({ shape: [2, 3] })
    expect(memberAt(root, '/größe/__proto__')).toMatchObject({ shape: [3], dtype: 'float64' })
    expect(memberAt(root, '/größe/nothing/here')).toBeUndefined()
    expect(memberAt(root, '/')).toBe(root)
  })

  test('groups deeper than any model nests them are refused', async () => {
    const bytes = await writeHdf5({}, [Array.from({ length: 80 }, () => 'a').join('/')])
    expect(await errorOf(() => readHdf5(bytes))).toMatchObject({
      code: 'too-large',
      problem: expect.stringContaining('nested'),
    })
  })

  test('the bytes of arrays and attributes are counted before they are read', async () => {
    expect(await errorOf(() => readHdf5(fixture('types'), { bytes: 4 }))).toMatchObject({
      code: 'too-large',
      problem: expect.stringContaining('limit of bytes'),
    })
  })

  test('soft links are left out', async () => {
    const root = await readHdf5(fixture('names'))
    expect([...root.members.keys()].sort()).toEqual(['gru', 'größe', 'layers\\gru\\cell'])
  })

  test('the order of creation is kept where the file has it', async () => {
    const names = [...(await readHdf5(fixture('names-ordered'))).members.keys()]
    expect(names).toEqual(['layers\\gru\\cell', 'gru', 'größe'])
  })

  test.each([
    ['strings', 'strings of 4 bytes'],
    ['compound', 'compounds of 12 bytes'],
    ['empty', 'nothing'],
  ])('%s: listed, and refused when read', async (path, got) => {
    const dataset = memberAt(await readHdf5(fixture('types')), path) as Hdf5Dataset
    expect(dataset.dtype).toBeUndefined()
    const error = await errorOf(() => dataset.read())
    expect(error).toMatchObject({ code: 'unsupported', where: `"/${path}"`, got })
  })

  test('a compression that the library lacks is refused by name', async () => {
    const dataset = memberAt(await readHdf5(fixture('storage')), 'lzf') as Hdf5Dataset
    expect(await errorOf(() => dataset.read())).toMatchObject({
      code: 'unsupported',
      got: expect.stringMatching(/^filter 'lzf' is not registered$/),
    })
  })

  test('many at once do not meet, nor do reads that come late', async () => {
    const names = ['types', 'storage', 'names', 'types-latest', 'types', 'storage-latest']
    const roots = await Promise.all(names.map((name) => readHdf5(fixture(name))))
    for (const [i, root] of [...roots.entries()].reverse()) {
      const [path, numbers] = Object.entries(expected[names[i]].datasets)[0]
      expect(plain((memberAt(root, path) as Hdf5Dataset).read())).toEqual(numbers)
    }
  })

  test('the file is gone from the file system of the library, also after an error', async () => {
    const bytes = fixture('types')
    await readAll(bytes)
    await errorOf(() => readHdf5(bytes.slice(0, 1000)))
    const { Module } = await import('h5wasm')
    expect(Module.FS.analyzePath('/gruv.h5').exists).toBe(false)
    expect(bytes).toEqual(fixture('types'))
  })
})

describe('hostile files', () => {
  test.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('not at all HDF5, and longer than a superblock would be')],
    ['the first kilobyte', fixture('types').slice(0, 1024)],
  ])('%s is no HDF5 file', async (_, bytes) => {
    const error = await errorOf(() => readHdf5(bytes))
    expect(error.code).toBe('bad-file')
    expect(error.message.length).toBeLessThan(400)
  })

  test.each([
    ['sparse', 'a terabyte in a kilobyte', 'too-large'],
    ['chunks', 'millions of chunks in a kilobyte', 'too-large'],
    ['loop', 'groups that hold themselves', 'too-large'],
  ])('%s: %s', async (name, _, code) => {
    const started = performance.now()
    expect((await errorOf(() => readHdf5(fixture(name)))).code).toBe(code)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test.each([
    ['virtual', '"/elsewhere.h5"'],
    ['external', '"/dev/null"'],
    ['linked', '"other.h5"'],
  ])('%s: numbers of another file are refused by its name', async (name, got) => {
    const error = await errorOf(() => readAll(fixture(name)))
    expect(error).toMatchObject({ code: 'unsupported', got })
    expect(error.where).toMatch(/"\/(virtual|external|gru\/kernel)"/)
  })

  test('numbers that were never written are the fill value or refused', async () => {
    const root = await readHdf5(fixture('unwritten'))
    const read = (name: string) => (memberAt(root, name) as Hdf5Dataset).read()
    for (const name of ['contiguous', 'chunked'])
      expect(await errorOf(() => read(name))).toMatchObject({
        code: 'bad-file',
        where: `"/${name}"`,
        problem: expect.stringContaining('never written'),
      })
    expect(read('default').data).toEqual(new Float32Array(8))
    expect(read('filled').data).toEqual(new Float32Array(8).fill(3))
    const patterns = Uint8Array.of(...Array(8).fill(0xa5), ...Array(8).fill(0x5a))
    expect(new Uint8Array(read('patterns').data.buffer)).toEqual(patterns)
  })

  test('the message of the library is its innermost line, whole', async () => {
    const error = await errorOf(() => readHdf5(fixture('types').slice(0, 1024)))
    expect(error.got).toMatch(/^H5\w+\(\): [^#\n]+$/)
  })

  test('the memory of a session: 64 MiB beside the bytes of the limit, to the page', async () => {
    const { grow } = WebAssembly.Memory.prototype
    const pages = 2 ** 10
    const bytes = fixture('types')
    const refused = /more memory than the file justifies/
    // Memory of the test itself, so that it does not matter what the library has already.
    const taken = (limit: number, run: (memory: WebAssembly.Memory) => void) =>
      hdf5Sessions({ bytes: limit }).then((session) =>
        session(bytes, () => run(new WebAssembly.Memory({ initial: 0 }))),
      )
    await taken(2 ** 16, (memory) => {
      memory.grow(pages)
      memory.grow(1)
      expect(() => memory.grow(1)).toThrow(refused)
    })
    await taken(2 ** 16 - 1, (memory) => {
      expect(() => memory.grow(pages + 1)).toThrow(refused)
      // What is refused is not counted.
      memory.grow(pages)
    })
    expect(WebAssembly.Memory.prototype.grow).toBe(grow)
  })

  test.each([
    ['of no size', 0, 0],
    ['of a size that wraps around', 1, 0xfffffff0],
  ])(
    'a heap with an object %s, in which the library would walk for ever',
    async (_, index, size) => {
      const bytes = fixture('names')
      const heap = Buffer.from(bytes.buffer).indexOf('GCOL')
      const view = new DataView(bytes.buffer)
      view.setUint16(heap + 16, index, true)
      view.setUint32(heap + 24, size, true)
      expect(await errorOf(() => readHdf5(bytes))).toMatchObject({
        code: 'bad-file',
        where: `byte ${heap + 16}`,
      })
    },
  )

  test('cut off at every 50th byte', async () => {
    const bytes = fixture('types-latest')
    const steps = Uint8Array.from({ length: Math.ceil(bytes.length / 50) })
    const report = await truncateEverywhere(steps, (cut) =>
      readAll(bytes.slice(0, cut.length * 50)),
    )
    expect(report.refused).toBe(report.runs)
  }, 60_000)

  test.each(['types', 'types-latest', 'names', 'names-ordered', 'storage', 'storage-latest'])(
    '%s, flipped and shifted: a GruvError or numbers; good files are read afterwards',
    async (name) => {
      const bytes = fixture(name)
      const [flips, shifts] = [few(60, 500), few(20, 100)]
      const flipped = await flipBytes(bytes, readAll, { runs: flips, seed: 1 })
      const shifted = await shiftBytes(bytes, readAll, { runs: shifts, seed: 2 })
      expect(flipped.refused).toBeGreaterThan(0.06 * flips)
      expect(shifted.refused).toBeGreaterThan(0.1 * shifts)
      const root = await readHdf5(fixture('types'))
      expect((memberAt(root, 'one') as Hdf5Dataset).read().data[0]).toBe(1.25)
    },
    120_000,
  )
})

describe.skipIf(!haveShared)('published models, as h5py reads them', () => {
  test.each(Object.keys(digests))('%s', async (name) => {
    const [, file, inner] = /^(.*?\.keras|.*)(?:\/(.*))?$/.exec(name)!
    let bytes: Uint8Array = new Uint8Array(readFileSync(sharedPath(`models/${file}`)))
    if (inner !== undefined) bytes = await (await readZip(bytes)).get(inner)!.read()
    const datasets = [...datasetsOf(await readHdf5(bytes))].sort((a, b) =>
      a.path < b.path ? -1 : 1,
    )
    const hash = createHash('sha256')
    for (const { path, shape, dtype, read } of datasets) {
      if (dtype === undefined) continue
      hash.update(`${path} ${showShape(shape)} ${dtype}\n`)
      hash.update(encodeNumbers(Float64Array.from(read().data)))
    }
    expect(hash.digest('hex')).toBe(digests[name])
  })
})
