/**
 * The readers of usual files give what the whole readers give, or leave the file to them: never
 * another model, and never an error of their own.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpz, writeNpz } from '../../src/bytes/npz.ts'
import { readPlainNpz } from '../../src/bytes/plain-npz.ts'
import { readPlainSafetensors } from '../../src/bytes/plain-safetensors.ts'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { parseObject } from '../../src/formats/decode.ts'
import { readGraph, writeGraph } from '../../src/formats/gruv/graph.ts'
import { readPlainGraph } from '../../src/formats/gruv/plain.ts'
import { writeSafetensorsModel } from '../../src/formats/safetensors-write.ts'
import { dense, gru, lstm, type Model, sequential } from '../../src/model/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { example } from '../support/cli.ts'
import { random, randomGru, tensor } from '../support/random.ts'

const heads = ['linear', 'sigmoid', 'tanh', 'relu', 'softmax'].map((activation, i) =>
  dense({ kernel: tensor(random(i), [5, 3]), bias: tensor(random(9), [3]), activation }),
)

/** What pages load. */
const usual: Readonly<Record<string, Model>> = Object.fromEntries([
  ...heads.map((head, i) => [`head ${i}`, sequential([randomGru(1, 4, 5), head])]),
  ...(['after', 'before'] as const).flatMap((reset) =>
    (['keeps', 'updates'] as const).flatMap((update) =>
      (['separate', 'merged'] as const).map((biasPlacement) => {
        const layer = randomGru(2, 3, 4, { reset, update, biasPlacement, gateOrder: 'rzn' })
        return [`${reset}, ${update}, ${biasPlacement}`, sequential([layer, randomGru(3, 4, 4)])]
      }),
    ),
  ),
  [
    'no bias',
    sequential([
      gru({ kernel: tensor(random(5), [2, 9]), recurrentKernel: tensor(random(6), [3, 9]) }),
    ]),
  ],
  ['relu', sequential([randomGru(4, 2, 3, { activation: 'relu', recurrentActivation: 'tanh' })])],
])

/** What pages load less often. */
const unusual: Readonly<Record<string, Model>> = {
  clip: sequential([randomGru(1, 4, 5, { clip: 1 })]),
  backwards: sequential([randomGru(1, 4, 5, { goBackwards: true, returnSequences: false })]),
  masked: sequential([randomGru(1, 4, 5, { maskedOutput: 'zero' })]),
  hard: sequential([randomGru(1, 4, 5, { recurrentActivation: 'hard_sigmoid' })]),
  lstm: sequential([
    lstm({ kernel: tensor(random(1), [2, 12]), recurrentKernel: tensor(random(2), [3, 12]) }),
  ]),
}

describe('a description in its usual form', () => {
  it.each(Object.entries(usual))('%s: the same model', async (_, model) => {
    const { graph, tensors } = writeGraph(model)
    const text = JSON.stringify(graph)
    const plain = await readPlainGraph(text, tensors, 'name')
    expect(plain).not.toBeNull()
    expect(plain).toEqual(readGraph(parseObject(text, 'graph'), tensors, 'name'))
    expect(Object.isFrozen(plain!.nodes[0].conventions)).toBe(true)
  })

  it.each(Object.entries(unusual))('%s: not for it', async (_, model) => {
    const { graph, tensors } = writeGraph(model)
    expect(await readPlainGraph(JSON.stringify(graph), tensors, 'name')).toBeNull()
  })

  it('whatever is changed in it: the same model, or none', async () => {
    const { graph, tensors } = writeGraph(usual['head 1'])
    let taken = 0
    for (const changed of variations(graph)) {
      const text = JSON.stringify(changed)
      const plain = await readPlainGraph(text, tensors, 'name')
      if (plain === null) continue
      taken++
      expect(plain, text).toEqual(readGraph(parseObject(text, 'graph'), tensors, 'name'))
    }
    expect(taken).toBeGreaterThan(10)
  })

  it('whatever array is in the wrong place: the same model, or none', async () => {
    const { graph, tensors } = writeGraph(usual['head 1'])
    const text = JSON.stringify(graph)
    for (const name of Object.keys(tensors)) {
      for (const other of [
        ...Object.values(tensors),
        tensor(random(1), [3]),
        tensor(random(1), [0, 3]),
      ]) {
        const arrays = { ...tensors, [name]: other }
        const plain = await readPlainGraph(text, arrays, 'name')
        if (plain !== null)
          expect(plain).toEqual(readGraph(parseObject(text, 'graph'), arrays, 'name'))
      }
    }
  })
})

describe('a safetensors file in its usual form', () => {
  const file = writeSafetensorsModel(usual['head 0'])

  it('is read alike', () => {
    expect(readPlainSafetensors(file)).toEqual(readSafetensors(file))
    const shipped = new Uint8Array(readFileSync(join(example, 'model.safetensors')))
    expect(readPlainSafetensors(shipped)).toEqual(readSafetensors(shipped))
  })

  it('is left to the whole reader where a key comes twice, or a type is not float', () => {
    const text =
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    expect(readPlainSafetensors(headed(text, 4))).toBeNull()
    const half = writeSafetensors({
      tensors: { a: { shape: [2], data: Float32Array.of(1, 2), dtype: 'float16' } },
    })
    expect(readPlainSafetensors(half)).toBeNull()
  })

  it('whatever is wrong with it: alike, or left to the whole reader', () => {
    for (const broken of brokenFiles(file))
      expectAlike(readPlainSafetensors(broken), () => readSafetensors(broken))
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
        const plain = await readPlainNpz(broken)
        if (plain === null) continue
        expect(plain).toEqual(await readNpz(broken))
      }
    },
    60_000,
  )
})

function expectAlike<T>(plain: T | null, whole: () => T): void {
  if (plain !== null) expect(plain).toEqual(whole())
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

/** JSON with one thing left out, added or replaced, at every place. */
function* variations(value: unknown): Generator<unknown> {
  const others = [null, true, 0, 1, -1, 1.5, '', 'x', 'none', 'zrn', [], {}, ['x'], { x: 'x' }]
  for (const other of others) yield other
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const rest = Array.isArray(value) ? [...value] : { ...value }
    for (const changed of variations(inner))
      yield Object.assign(rest, { [key]: changed }) && copy(rest)
    if (Array.isArray(value))
      yield [...value.slice(0, Number(key)), ...value.slice(Number(key) + 1)]
    else yield Object.fromEntries(Object.entries(value).filter(([each]) => each !== key))
  }
  if (!Array.isArray(value)) yield { ...value, more: 1 }
}

function copy<T extends object>(value: T): T {
  return (Array.isArray(value) ? [...value] : { ...value }) as T
}
