/** Containers in their usual form: the plain readers give what the whole ones give, or leave it to them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpz, writeNpz } from '../../src/bytes/npz.ts'
import { readPlainNpz } from '../../src/bytes/plain-npz.ts'
import { readPlainSafetensors } from '../../src/bytes/plain-safetensors.ts'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { example } from '../support/cli.ts'
import { random, tensor } from '../support/random.ts'

describe('a safetensors file in its usual form', () => {
  const file = new Uint8Array(readFileSync(join(example, 'model.safetensors')))

  it('is read alike', () => {
    expect(readPlainSafetensors(file)).toEqual(readSafetensors(file))
    const bare = writeSafetensors({ tensors: { a: tensor(random(1), [2, 3]) } })
    expect(readPlainSafetensors(bare)).toEqual(readSafetensors(bare))
  })

  it('is left to the whole reader where a key comes twice, or a type is not float', () => {
    const text =
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    expect(() => readPlainSafetensors(headed(text, 4))).toThrow()
    for (const shape of ['[-1,-1]', '[0.5,2]', '["1"]', '1', '[4294967297]']) {
      const text = `{"__metadata__":{},"a":{"dtype":"F32","shape":${shape},"data_offsets":[0,4]}}`
      expect(() => readPlainSafetensors(headed(text, 4)), shape).toThrow()
    }
    const half = writeSafetensors({
      tensors: { a: { shape: [2], data: Float32Array.of(1, 2), dtype: 'float16' } },
    })
    expect(() => readPlainSafetensors(half)).toThrow()
  })

  it('whatever is wrong with it: alike, or left to the whole reader', () => {
    let taken = 0
    for (const broken of brokenFiles(file)) {
      const plain = orNull(() => readPlainSafetensors(broken))
      if (plain === null) continue
      taken++
      expect(plain).toEqual(readSafetensors(broken))
    }
    expect(taken).toBeGreaterThan(10)
  })
})

describe('an npz archive in its usual form', () => {
  const arrays: Named<Tensor> = {
    kernel: tensor(random(1), [3, 6]),
    'path/double': { shape: [2, 1], data: Float64Array.of(1, 2), dtype: 'float64' },
    scalar: { shape: [], data: Float32Array.of(4), dtype: 'float32' },
  }

  it.each([false, true])('is read alike, compressed: %s', async (compress) => {
    const file = await writeNpz(arrays, { compress })
    expect(await readPlainNpz(file)).toEqual(await readNpz(file))
  })

  it('as NumPy wrote it', async () => {
    const shipped = new Uint8Array(readFileSync(join(example, 'layer.npz')))
    const plain = await readPlainNpz(shipped)
    expect(plain).not.toBeNull()
    expect(plain).toEqual(await readNpz(shipped))
  })

  it.each([false, true])(
    'whatever is wrong with it, compressed: %s',
    async (compress) => {
      for (const broken of brokenFiles(await writeNpz(arrays, { compress }))) {
        const plain = await readPlainNpz(broken).catch(() => null)
        if (plain !== null) expect(plain).toEqual(await readNpz(broken))
      }
    },
    60_000,
  )

  it.each(['beside', 'instead'] as const)(
    'with sizes in zip64 fields %s, as NumPy writes them, and whatever is wrong with it',
    async (where) => {
      const file = withZip64(await writeNpz(arrays), where)
      expect(await readPlainNpz(file)).toEqual(await readNpz(await writeNpz(arrays)))
      for (const broken of [file, ...brokenFiles(file)]) {
        const plain = await readPlainNpz(broken).catch(() => null)
        if (plain !== null) expect(plain).toEqual(await readNpz(broken))
      }
    },
    60_000,
  )

  it('without the sizes in either place: left to the whole reader, which refuses it', async () => {
    const file = await writeNpz(arrays)
    file.fill(0xff, 18, 26)
    await expect(readPlainNpz(file)).rejects.toThrow()
    await expect(readNpz(file)).rejects.toThrow()
  })
})

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

/**
 * An archive as Python writes it for NumPy: each local header with a field of zip64, which repeats
 * the sizes, or (since Python 3.11.4) has them alone.
 */
function withZip64(file: Uint8Array, where: 'beside' | 'instead'): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset)
  const end = file.length - 22
  const directory = file.slice(view.getUint32(end + 16, true), end)
  const parts: Uint8Array[] = []
  let length = 0
  const add = (part: Uint8Array) => {
    parts.push(part)
    length += part.length
  }
  for (let at = 0, entry = 0; entry < directory.length; ) {
    const nameLength = view.getUint16(at + 26, true)
    const packed = view.getUint32(at + 18, true)
    const size = view.getUint32(at + 22, true)
    const header = file.slice(at, at + 30 + nameLength)
    const field = new Uint8Array(20)
    const [headerView, fieldView] = [header, field].map((each) => new DataView(each.buffer))
    headerView.setUint16(28, field.length, true)
    if (where === 'instead') header.fill(0xff, 18, 26)
    fieldView.setUint32(0, 0x00100001, true)
    fieldView.setUint32(4, size, true)
    fieldView.setUint32(12, packed, true)
    new DataView(directory.buffer).setUint32(entry + 42, length, true)
    for (const part of [header, field]) add(part)
    const data = at + header.length
    add(file.slice(data, data + packed))
    at = data + packed
    entry += 46 + nameLength
  }
  const tail = file.slice(end)
  new DataView(tail.buffer).setUint32(16, length, true)
  for (const part of [directory, tail]) add(part)
  return new Uint8Array(parts.flatMap((part) => [...part]))
}

/** A safetensors file of this header and so many bytes of numbers. */
function headed(text: string, body: number): Uint8Array {
  const file = new Uint8Array(8 + text.length + body)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(new TextEncoder().encode(text), 8)
  return file
}

/** Cut short, made longer, or with one byte changed: every byte of the first and last hundreds. */
function* brokenFiles(file: Uint8Array): Generator<Uint8Array> {
  const next = random(7)
  for (let at = 0; at < file.length; at++) {
    if (at > 400 && at < file.length - 400 && next() > 0.05) continue
    yield file.slice(0, at)
    for (const change of [1, 0x80, 1 + Math.floor(255 * next())]) {
      const broken = file.slice()
      broken[at] ^= change
      yield broken
    }
  }
  yield new Uint8Array([...file, 0])
}
