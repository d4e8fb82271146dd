import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { readZip } from '../../src/bytes/zip/read.ts'
import { writeZip, type ZipInput } from '../../src/bytes/zip/write.ts'
import { errorOf } from '../support/errors.ts'

const hello = new TextEncoder().encode('hello, hello, hello, hello')
const entries: readonly ZipInput[] = [
  { name: 'greeting', bytes: hello },
  { name: 'folder/deep/é.bin', bytes: Uint8Array.of(0, 1, 2, 255) },
  { name: 'empty', bytes: new Uint8Array(0) },
]

async function readAll(bytes: Uint8Array): Promise<[string, Uint8Array][]> {
  const found: [string, Uint8Array][] = []
  for (const [name, entry] of await readZip(bytes)) found.push([name, await entry.read()])
  return found
}

describe('writeZip and readZip', () => {
  test.each([false, true])('compress: %s; names, order and bytes come back', async (compress) => {
    const archive = await writeZip(entries, { compress })
    expect(await readAll(archive)).toEqual(entries.map(({ name, bytes }) => [name, bytes]))
  })

  test('the same entries give the same bytes at any time, the date being fixed', async () => {
    const archive = await writeZip(entries)
    expect(await writeZip(entries)).toEqual(archive)
    expect(new DataView(archive.buffer).getUint32(10, true)).toBe(0x0021_0000)
  })

  test('stored by default, so that arrays can be found in place', async () => {
    expect((await writeZip([{ name: 'a', bytes: new Uint8Array(5000) }])).length).toBeGreaterThan(
      5000,
    )
  })

  test('listing unpacks nothing, and an entry can be read twice', async () => {
    const archive = await writeZip(entries, { compress: true })
    const listed = await readZip(archive)
    const greeting = listed.get('greeting')!
    expect(greeting.size).toBe(hello.length)
    expect([await greeting.read(), await greeting.read()]).toEqual([hello, hello])
    expect(await Promise.all([greeting.read(), greeting.read()])).toEqual([hello, hello])
  })

  test('more than one chunk', async () => {
    const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => (i * i) >> 7)
    for (const compress of [false, true]) {
      const archive = await writeZip([{ name: 'a', bytes }], { compress })
      const [[, unpacked]] = await readAll(archive)
      expect(Buffer.compare(unpacked, bytes)).toBe(0) // `toEqual` takes seconds for this
    }
  })

  test('folders are passed over', async () => {
    const archive = zipSync({ folder: { inside: hello }, 'empty/': new Uint8Array(0) })
    expect([...(await readZip(archive)).keys()]).toEqual(['folder/inside'])
  })

  test('names are keys: what would be a dangerous path is only a name', async () => {
    const archive = await writeZip([{ name: '../../etc/passwd', bytes: hello }])
    expect([...(await readZip(archive)).keys()]).toEqual(['../../etc/passwd'])
  })

  test('an archive without entries', async () => {
    expect((await readZip(await writeZip([]))).size).toBe(0)
  })

  test.each([
    ['a name twice', [entries[0], entries[0]]],
    ['a name that is no property', [{ name: '__proto__', bytes: hello }]],
  ])('%s is not written', async (_, wrong) => {
    expect((await errorOf(() => writeZip(wrong))).code).toBe('bad-argument')
  })
})

/** Places in the headers of an archive with one entry, from APPNOTE 4.3.7 and 4.3.12. */
function fields(archive: Uint8Array): { view: DataView; local: number; central: number } {
  const view = new DataView(archive.buffer, archive.byteOffset)
  const central = view.getUint32(archive.length - 22 + 16, true)
  return { view, local: 0, central }
}

/** An archive that ends as PyTorch's do: with zip64 records, needed or not. */
async function withZip64Records(inputs: readonly ZipInput[]): Promise<Uint8Array> {
  const archive = await writeZip(inputs)
  const end = archive.length - 22
  const from = new DataView(archive.buffer)
  const records = new DataView(new ArrayBuffer(76))
  records.setUint32(0, 0x06064b50, true)
  records.setBigUint64(4, 44n, true)
  records.setBigUint64(24, BigInt(inputs.length), true)
  records.setBigUint64(32, BigInt(inputs.length), true)
  records.setBigUint64(40, BigInt(from.getUint32(end + 12, true)), true)
  records.setBigUint64(48, BigInt(from.getUint32(end + 16, true)), true)
  records.setUint32(56, 0x07064b50, true)
  records.setBigUint64(64, BigInt(end), true)
  records.setUint32(72, 1, true)
  const parts = [archive.subarray(0, end), new Uint8Array(records.buffer), archive.subarray(end)]
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

test('zip64 records that nothing asks for, whatever the first name’s length', async () => {
  for (let length = 1; length <= 80; length++) {
    const inputs = [{ name: 'n'.repeat(length), bytes: hello }, ...entries]
    const archive = await withZip64Records(inputs)
    expect(await readAll(archive)).toEqual(inputs.map(({ name, bytes }) => [name, bytes]))
  }
})

describe('archives that lie', () => {
  const archive = (compress = false): Promise<Uint8Array> =>
    writeZip([{ name: 'a', bytes: hello }], { compress })

  /** Sets the unpacked size in both headers. */
  async function claim(size: number, compress: boolean): Promise<Uint8Array> {
    const bytes = await archive(compress)
    const { view, local, central } = fields(bytes)
    view.setUint32(local + 22, size, true)
    view.setUint32(central + 24, size, true)
    return bytes
  }

  test('stored, but of another size unpacked', async () => {
    const error = await errorOf(async () => readZip(await claim(hello.length + 1, false)))
    expect(error.code).toBe('bad-file')
    expect(error.message).toMatch(/"a": the sizes of the entry contradict/)
  })

  test('stored, and larger than the archive: refused before memory is taken', async () => {
    const bytes = await claim(2 ** 25, false)
    const { view, local, central } = fields(bytes)
    for (const at of [local + 18, central + 20]) view.setUint32(at, 2 ** 25, true)
    const error = await errorOf(() => readZip(bytes))
    expect(error).toMatchObject({
      code: 'bad-file',
      problem: 'the entry is larger than the archive',
    })
  })

  test('more than deflate can expand: refused before anything is unpacked', async () => {
    const error = await errorOf(async () => readZip(await claim(2 ** 26, true)))
    expect(error.code).toBe('bad-file')
    expect(error.message).toMatch(/1032|at most/)
  })

  test.each([hello.length - 1, hello.length + 1, 1])('deflated, %i bytes claimed', async (size) => {
    const error = await errorOf(async () => readAll(await claim(size, true)))
    expect(error.code).toBe('bad-file')
    expect(error.where).toBe('"a"')
  })

  test('the two headers disagree', async () => {
    const bytes = await archive()
    const { view, local } = fields(bytes)
    view.setUint32(local + 22, 3, true)
    expect((await errorOf(() => readAll(bytes))).code).toBe('bad-file')
  })

  test.each([false, true])('a byte changed, compress: %s: CRC-32 tells', async (compress) => {
    const bytes = await archive(compress)
    bytes[33] ^= 0x10
    expect((await errorOf(() => readAll(bytes))).code).toBe('bad-file')
  })

  test('a CRC changed in both headers', async () => {
    const bytes = await archive()
    const { view, local, central } = fields(bytes)
    for (const at of [local + 14, central + 16]) view.setUint32(at, 0x1234_5678, true)
    const error = await errorOf(() => readAll(bytes))
    expect([error.code, error.got]).toEqual(['bad-file', 'Invalid CRC32'])
  })

  test('two entries of one name', async () => {
    const bytes = await writeZip([
      { name: 'a', bytes: hello },
      { name: 'b', bytes: hello },
    ])
    const text = Array.from(bytes, (byte) => (byte === 0x62 ? 0x61 : byte))
    const error = await errorOf(() => readZip(Uint8Array.from(text)))
    expect([error.code, error.where]).toEqual(['bad-file', '"a"'])
    expect(error.problem).toMatch(/two entries of the same name/)
  })

  test('two entries that share their bytes', async () => {
    const bytes = await writeZip([
      { name: 'a', bytes: hello },
      { name: 'b', bytes: hello },
    ])
    const { view, central } = fields(bytes)
    view.setUint32(central + 46 + 1 + 42, 0, true) // the offset of the second entry
    bytes[central + 46 + 1 + 46] = 0x62
    const error = await errorOf(() => readAll(bytes))
    expect(error.code).toBe('bad-file')
  })

  test('encrypted', async () => {
    const bytes = await archive()
    const { view, local, central } = fields(bytes)
    for (const at of [local + 6, central + 8]) view.setUint16(at, 1, true)
    const error = await errorOf(() => readZip(bytes))
    expect([error.code, error.where]).toEqual(['unsupported', '"a"'])
  })

  test.each([
    [12, 'bzip2'],
    [77, 'method 77'],
  ])('compression method %i is refused by name', async (method, name) => {
    const bytes = await archive()
    const { view, local, central } = fields(bytes)
    for (const at of [local + 8, central + 10]) view.setUint16(at, method, true)
    const error = await errorOf(() => readZip(bytes))
    expect([error.code, error.got]).toEqual(['unsupported', name])
  })

  test('more entries than an archive can count', async () => {
    const nothing = new Uint8Array(0)
    const names = Array.from({ length: 65_536 }, (_, i) => `e${i}`)
    const bytes = zipSync(Object.fromEntries(names.map((name) => [name, nothing])), { level: 0 })
    const { view } = fields(bytes)
    // The count is stored modulo 65,536; the directory holds them all the same.
    expect(view.getUint16(bytes.length - 22 + 10, true)).toBe(0)
    expect((await errorOf(() => readZip(bytes))).code).toBe('too-large')
    const entries = names.map((name) => ({ name, bytes: nothing }))
    expect((await errorOf(() => writeZip(entries))).code).toBe('too-large')
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('this is no archive, and never was')],
    ['a signature alone', Uint8Array.of(0x50, 0x4b, 3, 4)],
  ])('%s instead of an archive', async (_, bytes) => {
    expect((await errorOf(() => readZip(bytes))).code).toBe('bad-file')
  })
})

describe('zip bombs', () => {
  /** A noisy entry that claims to be nearly as large unpacked as deflate allows. */
  function claiming(name: string, size: number): ZipInput & { readonly size: number } {
    const noise = Uint8Array.from(
      { length: Math.ceil(size / 1000) },
      (_, i) => (i * i * 40_503) >> 8,
    )
    return { name, bytes: noise, size }
  }

  async function bombOf(
    parts: readonly (ZipInput & { readonly size: number })[],
  ): Promise<Uint8Array> {
    const bytes = await writeZip(parts, { compress: true })
    const { view, central } = fields(bytes)
    let at = central
    for (const { name, size } of parts) {
      view.setUint32(at + 24, size, true)
      at += 46 + name.length
    }
    return bytes
  }

  test('80 MiB of zeros in a tenth of a megabyte are refused, and nothing is unpacked', async () => {
    const bomb = zipSync({ a: new Uint8Array(80 * 2 ** 20) }, { level: 1 })
    expect(bomb.length).toBeLessThan(100_000)
    const most = 64 * 2 ** 20 + 100 * bomb.length
    const error = await errorOf(() => readZip(bomb))
    expect([error.code, error.expected, error.got]).toEqual([
      'too-large',
      `at most ${most.toLocaleString('en')} bytes`,
      '83,886,080',
    ])
  })

  test('many entries count together', async () => {
    const bomb = await bombOf(['a', 'b', 'c', 'd', 'e'].map((name) => claiming(name, 15 * 2 ** 20)))
    expect((await errorOf(() => readZip(bomb))).code).toBe('too-large')
    const less = await bombOf(['a', 'b', 'c', 'd'].map((name) => claiming(name, 15 * 2 ** 20)))
    expect((await readZip(less)).size).toBe(4)
  })
})
