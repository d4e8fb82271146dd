/** Tests the containers of PyTorch: tensors as PyTorch reads them, and files that claim something wrong. */

import { describe, expect, it } from 'vitest'
import { readTorch } from '../../src/bytes/torch/torch.ts'
import { isDict, isTensor, type TorchDict, type TorchTensor } from '../../src/bytes/torch/values.ts'
import { readZip } from '../../src/bytes/zip/read.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'
import type { Named } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { fixture, fixtureJson } from '../support/fixtures.ts'
import { flipBytes, truncateEverywhere } from '../support/fuzz.ts'

const file = (name: string): Uint8Array => fixture(`pytorch/${name}`)

interface Expected {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly (number | boolean)[]
}

const expected = fixtureJson<Named<Named<Expected>>>('pytorch/expected.json')

/** Reads everything in a file. */
async function readAll(bytes: Uint8Array): Promise<void> {
  const torch = await readTorch(bytes)
  if (!isDict(torch.value)) return
  for (const each of torch.value.values()) if (isTensor(each)) await torch.read(each)
}

describe.each(['tensors.pt', 'tensors-legacy.pt'])('%s', (name) => {
  for (const [key, tensor] of Object.entries(expected['tensors.pt'])) {
    it(`${key}: ${tensor.dtype} [${tensor.shape}]`, async () => {
      const torch = await readTorch(file(name))
      const found = (torch.value as TorchDict).get(key) as TorchTensor
      const { shape, data, dtype } = await torch.read(found)
      expect({ shape, dtype, data: Array.from(data) }).toEqual({
        ...tensor,
        data: tensor.data.map(Number),
      })
    })
  }
})

describe('what lies beside the tensors', () => {
  it('scalars, lists, sizes, NumPy scalars and arrays', async () => {
    const torch = await readTorch(file('checkpoint.pt'))
    const dict = torch.value as TorchDict
    expect(dict.get('epoch')).toBe(12)
    expect(dict.get('loss')).toBe(0.25)
    expect(dict.get('history')).toEqual([0.5, Number.NaN, 2n ** 70n])
    expect(dict.get('shape')).toEqual([3, 4])
    const { shape, data } = await torch.read(dict.get('scaler') as TorchTensor)
    expect([shape, Array.from(data)]).toEqual([
      [2, 3],
      [0, 1, 2, 3, 4, 5],
    ])
  })

  it.each([
    ['zip.pt', 'PyTorch archive'],
    ['legacy.pt', 'PyTorch file of the old format'],
    ['scripted.pt', 'TorchScript archive'],
  ])('%s is a %s', async (name, container) => {
    expect((await readTorch(file(name))).container).toBe(container)
  })
})

/** The archive with one entry replaced, or left out. */
async function changed(
  name: string,
  ending: string,
  content: Uint8Array | null,
): Promise<Uint8Array> {
  const entries = await readZip(file(name))
  const inputs = []
  for (const [each, entry] of entries) {
    const bytes = each.endsWith(ending) ? content : await entry.read()
    if (bytes !== null) inputs.push({ name: each, bytes })
  }
  return writeZip(inputs)
}

/** A dictionary with one float32 tensor of storage `0`, as `torch.save` writes it. */
function pickled(offset: number, shape: readonly number[], strides: readonly number[]): Uint8Array {
  const tuple = (numbers: readonly number[]): string =>
    `(${numbers.map((n) => `I${n}\n`).join('')}t`
  const storage = "(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI6\ntQ"
  const text = `}S'a'\nctorch._utils\n_rebuild_tensor_v2\n(${storage}I${offset}\n${tuple(shape)}${tuple(strides)}I00\nNtRs.`
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

async function readForged(
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Promise<readonly number[]> {
  const torch = await readTorch(
    await changed('gru-no-bias.pt', 'data.pkl', pickled(offset, shape, strides)),
  )
  const { data } = await torch.read((torch.value as TorchDict).get('a') as TorchTensor)
  return Array.from(data)
}

describe('files that lie', () => {
  it('a forged tensor that keeps to its storage is read', async () => {
    // GRU(3, 2): weight_ih_l0 has 18 numbers.
    expect(await readForged(16, [2], [1])).toHaveLength(2)
    expect(await readForged(0, [3, 3], [0, 0])).toHaveLength(9)
  })

  it.each<[string, number, number[], number[], RegExp]>([
    ['one number too many', 17, [2], [1], /outside of its storage/],
    ['a stride too long', 0, [2], [18], /outside of its storage/],
    ['an offset beyond everything', 2 ** 52, [1], [1], /outside of its storage/],
    ['a negative offset', -1, [1], [1], /whole numbers/],
    ['a negative stride', 0, [2], [-1], /whole numbers/],
    ['a negative extent', 0, [-2], [1], /whole numbers/],
    ['more axes than strides', 0, [2, 2], [1], /contradicts itself/],
    ['a size beyond all numbers', 0, [2 ** 40, 2 ** 40], [0, 0], /contradicts itself/],
    [
      'a view of one number as of a billion',
      0,
      [2 ** 15, 2 ** 15],
      [0, 0],
      /beyond the limit of elements/,
    ],
  ])('%s', async (_, offset, shape, strides, message) => {
    const error = await errorOf(() => readForged(offset, shape, strides))
    expect(error.message).toMatch(message)
  })

  it('a storage that is not there', async () => {
    const error = await errorOf(async () => readAll(await changed('zip.pt', 'data/3', null)))
    expect(error.message).toMatch(/data\/3.*missing/)
  })

  it('two pickles side by side are one too many, one deeper down is not', async () => {
    const entries = await readZip(file('gru-no-bias.pt'))
    const inputs: { name: string; bytes: Uint8Array }[] = []
    for (const [name, entry] of entries) inputs.push({ name, bytes: await entry.read() })
    const other = (name: string): Promise<Uint8Array> =>
      writeZip([...inputs, { name, bytes: new Uint8Array(0) }])
    await readAll(await other('gru-no-bias/extra/data.pkl'))
    const error = await errorOf(async () => readAll(await other('other/data.pkl')))
    expect(error.message).toMatch(/one entry called data\.pkl/)
  })

  it('a storage that is cut off', async () => {
    const error = await errorOf(async () =>
      readAll(await changed('zip.pt', 'data/3', new Uint8Array(7))),
    )
    expect(error.message).toMatch(/outside of its storage/)
  })

  it('an unknown storage class, in the old format', async () => {
    const bytes = file('legacy.pt')
    const at = new TextDecoder('latin1').decode(bytes).indexOf('FloatStorage')
    const error = await errorOf(() => readAll(bytes.with(at, 0x58)))
    expect(error.message).toMatch(/XloatStorage/)
  })

  it('a plain pickle of a state dict is refused, with what to do', async () => {
    const error = await errorOf(() => readTorch(file('plain.pkl')))
    expect(error.code).toBe('unsupported')
    expect(error.message).toMatch(/no file of torch\.save.*_load_from_bytes.*torch\.save\(/)
  })

  it.each(['gru-no-bias.pt', 'legacy.pt', 'tensors-legacy.pt'])(
    '%s, cut off or changed: only GruvErrors',
    async (name) => {
      await truncateEverywhere(file(name).slice(0, 400), readAll)
      await flipBytes(file(name), readAll, { runs: 200, seed: 6 })
    },
  )

  it.each(['gru-no-bias.pt', 'scripted.pt'])(
    '%s, its pickle changed behind the checksums of the archive: only GruvErrors',
    async (name) => {
      const read = async (bytes: Uint8Array): Promise<void> =>
        readAll(await changed(name, 'data.pkl', bytes))
      await flipBytes(await pickleOf(name), read, { runs: 60, seed: 7 })
    },
  )
})

async function pickleOf(name: string): Promise<Uint8Array> {
  for (const [each, entry] of await readZip(file(name))) {
    if (each.endsWith('/data.pkl')) return entry.read()
  }
  throw new Error('no pickle')
}
