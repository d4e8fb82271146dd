/**
 * The plain way, of files as most are, gives what the whole way gives, or leaves the file to it: never
 * another model, whatever is wrong or unusual.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpz, writeNpz } from '../../src/bytes/npz.ts'
import { readPlainNpz } from '../../src/bytes/plain-npz.ts'
import { readPlainSafetensors } from '../../src/bytes/plain-safetensors.ts'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { bareLayer } from '../../src/formats/arrays.ts'
import { parseObject } from '../../src/formats/decode.ts'
import { readGraph, writeGraph } from '../../src/formats/gruv/graph.ts'
import { readPlainGraph } from '../../src/formats/gruv/plain.ts'
import * as npz from '../../src/formats/plain-npz.ts'
import * as safetensors from '../../src/formats/plain-safetensors.ts'
import { readSafetensorsModel } from '../../src/formats/safetensors.ts'
import { writeSafetensorsModel } from '../../src/formats/safetensors-write.ts'
import { type LoadOptions, load, type ModelSource } from '../../src/load.ts'
import { dense, gru, lstm, type Model, sequential } from '../../src/model/index.ts'
import { plainModel } from '../../src/model/plain.ts'
import { loadWhole } from '../../src/sources.ts'
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

/** The same values, key for key in the same order, and frozen all the way down. */
function expectSame(plain: Model, whole: Model): void {
  expect(plain).toEqual(whole)
  expect(JSON.stringify(plain) === JSON.stringify(whole), 'the order of keys').toBe(true)
  expect(thawed(plain)).toEqual(thawed(whole))
}

/** Paths of objects that are not frozen; typed arrays cannot be. */
function thawed(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  const inner = Object.entries(value).flatMap(([key, each]) => thawed(each, `${path}.${key}`))
  return Object.isFrozen(value) ? inner : [path, ...inner]
}

/** What the plain way gives; null where it leaves that to the whole one. */
function plainGraph(text: string, tensors: Named<Tensor>): Model | null {
  try {
    return plainModel(readPlainGraph(text, tensors, 'name'))
  } catch {
    return null
  }
}

/** A description that can be changed. */
function copied(graph: object): {
  nodes: { name: string; inputs: Record<string, string>; outputs: Record<string, string> }[]
  outputs: { name: string; value: string }[]
} {
  return JSON.parse(JSON.stringify(graph))
}

const wholeGraph = (text: string, tensors: Named<Tensor>): Model =>
  readGraph(parseObject(text, 'graph'), tensors, 'name')

describe('a description in its usual form', () => {
  it.each(Object.entries(usual))('%s: the same model', (_, model) => {
    const { graph, tensors } = writeGraph(model)
    const text = JSON.stringify(graph)
    const plain = plainGraph(text, tensors)
    expect(plain).not.toBeNull()
    expectSame(plain!, wholeGraph(text, tensors))
    expect(thawed(plain)).toEqual([])
  })

  it.each(Object.entries(unusual))('%s: not for it', (_, model) => {
    const { graph, tensors } = writeGraph(model)
    expect(plainGraph(JSON.stringify(graph), tensors)).toBeNull()
  })

  it('whatever is changed in it: the same model, or none', () => {
    for (const name of ['head 1', 'after, keeps, merged']) {
      const { graph, tensors } = writeGraph(usual[name])
      let taken = 0
      for (const changed of variations(graph)) {
        const text = JSON.stringify(changed)
        const plain = plainGraph(text, tensors)
        if (plain === null) continue
        taken++
        expect(plain, text).toEqual(wholeGraph(text, tensors))
      }
      expect(taken).toBeGreaterThan(10)
    }
  })

  it.each<[string, (graph: ReturnType<typeof copied>) => void]>([
    [
      'a value made twice',
      ({ nodes, outputs }) => {
        nodes[1].outputs.y = 'gru.sequence'
        outputs[0].value = 'gru.sequence'
      },
    ],
    [
      'a value that is an input',
      ({ nodes, outputs }) => {
        nodes[1].outputs.y = 'x'
        outputs[0].value = 'x'
      },
    ],
    [
      'two layers of one name',
      ({ nodes }) => {
        nodes[1].name = nodes[0].name
      },
    ],
    [
      'two outputs of one name',
      ({ outputs }) => {
        outputs.push(outputs[0])
      },
    ],
    [
      'a port that is none',
      ({ nodes }) => {
        nodes[0].outputs.nowhere = 'nowhere'
      },
    ],
    [
      'a port that every object has',
      ({ nodes, outputs }) => {
        nodes[1].outputs = { constructor: 'y' }
        outputs[0].value = 'y'
      },
    ],
    [
      'no layers',
      ({ nodes, outputs }) => {
        nodes.length = 0
        outputs[0].value = 'x'
      },
    ],
    [
      'a GRU behind a vector',
      ({ nodes, outputs }) => {
        const [first] = nodes
        nodes[0] = { ...first, outputs: { last: 'last' } }
        nodes[1] = { ...first, name: 'second', inputs: { x: 'last' }, outputs: { last: 'y' } }
        outputs[0].value = 'y'
      },
    ],
  ])('%s: left to the whole way, which refuses it', (_, change) => {
    const { graph, tensors } = writeGraph(sequential([randomGru(1, 5, 5), heads[1]]))
    const changed = copied(graph)
    change(changed)
    const text = JSON.stringify(changed)
    expect(plainGraph(text, tensors)).toBeNull()
    expect(() => wholeGraph(text, tensors)).toThrow()
  })

  it('a Dense layer behind a vector, and states: the same model', () => {
    const { graph, tensors } = writeGraph(sequential([randomGru(1, 4, 5), heads[1]]))
    for (const port of ['last', 'state']) {
      const changed = copied(graph)
      changed.nodes[0].outputs = { sequence: 'all', [port]: 'one' }
      changed.nodes[1].inputs.x = 'one'
      const text = JSON.stringify(changed)
      expectSame(plainGraph(text, tensors)!, wholeGraph(text, tensors))
    }
  })

  it('whatever array is in the wrong place: the same model, or none', () => {
    const { graph, tensors } = writeGraph(usual['head 1'])
    const text = JSON.stringify(graph)
    for (const name of Object.keys(tensors)) {
      for (const other of [
        ...Object.values(tensors),
        tensor(random(1), [3]),
        tensor(random(1), [0, 3]),
      ]) {
        const arrays = { ...tensors, [name]: other }
        const plain = plainGraph(text, arrays)
        if (plain !== null) expect(plain).toEqual(wholeGraph(text, arrays))
      }
    }
  })

  it('whatever number is odd: the same warnings, or left to the whole way', () => {
    const { graph, tensors } = writeGraph(usual['head 3'])
    const text = JSON.stringify(graph)
    let told = 0
    for (const [name, { data, ...rest }] of Object.entries(tensors)) {
      for (const odd of [Number.NaN, Infinity, -Infinity, 0, 2, 2.5, -40]) {
        for (const changed of [data.map((x, i) => (i ? x : odd)), data.map(() => odd)]) {
          const arrays = { ...tensors, [name]: { ...rest, data: changed } }
          const plain = plainGraph(text, arrays)
          const whole = wholeGraph(text, arrays)
          if (plain !== null) expect(plain, `${name}, ${odd}`).toEqual(whole)
          else if (whole.warnings.length > 0) told++
        }
      }
    }
    expect(told).toBeGreaterThan(10)
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

describe('a bare layer in its usual form', () => {
  const arrays = {
    kernel: tensor(random(1), [3, 12]),
    recurrent: tensor(random(2), [4, 12]),
    bias: tensor(random(3), [2, 12]),
  }
  type Names = readonly [kernel: string, recurrentKernel: string, bias: string]
  const named = ([kernel, recurrent, bias]: Names): Named<Tensor> => ({
    [kernel]: arrays.kernel,
    [recurrent]: arrays.recurrent,
    [bias]: arrays.bias,
  })
  const keras: Names = ['kernel', 'recurrent_kernel', 'bias']

  type Both = readonly [plain: Model | null, whole: Model | null]

  async function both(tensors: Named<Tensor>): Promise<Both> {
    const file = await writeNpz(tensors)
    const plain = npz.readPlain(file, 'name').then(plainModel)
    const read = await readNpz(file)
    const whole = orNull(() => bareLayer('name', 'NumPy archive (.npz)', read, {}))
    return [await plain.catch(() => null), whole]
  }

  /** The same arrays as safetensors, of a writer that says something of the file, or nothing. */
  async function bothTensors(tensors: Named<Tensor>, metadata = {}): Promise<Both> {
    const bytes = writeSafetensors({ metadata, tensors })
    const plain = safetensors.readPlain(bytes, 'name').then(plainModel)
    const whole = readSafetensorsModel({ name: 'name', bytes }, {})
    return [await plain.catch(() => null), await whole.catch(() => null)]
  }

  it.each<Names>([
    keras,
    ['wMatrix', 'uMatrix', 'biases'],
    ['W', 'U', 'b'],
    ['gru/gru_cell/kernel:0', 'gru/gru_cell/recurrent_kernel:0', 'gru/gru_cell/bias:0'],
  ])('%s, %s, %s: the same model', async (...names) => {
    const reversed = Object.fromEntries(Object.entries(named(names)).reverse())
    for (const tensors of [named(names), reversed]) {
      for (const [plain, whole] of [
        await both(tensors),
        await bothTensors(tensors),
        await bothTensors(tensors, { format: 'np' }),
      ]) {
        expect(plain).not.toBeNull()
        expectSame(plain!, whole!)
      }
    }
  })

  it('needs no metadata', () => {
    const file = new TextDecoder('latin1').decode(writeSafetensors({ tensors: named(keras) }))
    expect(file.includes('__metadata__')).toBe(false)
  })

  it('whatever else is in it, or is missing, or has another shape: the same model, or none', async () => {
    const tensors = named(keras)
    const others = [
      [12],
      [1, 12],
      [24],
      [2, 12],
      [12, 2],
      [12, 4],
      [12, 3],
      [4, 12],
      [3, 12],
      [1, 3],
      [3],
      [],
      [0, 3],
      [2, 3, 4],
    ].map((shape, i) => tensor(random(i), shape))
    const odd = (array: Tensor, value: number): Tensor => ({
      ...array,
      data: array.data.map((x, i) => (i === 5 ? value : x)),
    })
    const changed = [
      ...Object.keys(tensors).flatMap((name) => {
        const { [name]: array, ...rest } = tensors
        return [
          rest,
          { ...rest, x: array },
          ...others.map((other) => ({ ...rest, [name]: other })),
          ...[0, Number.NaN, Infinity, 3, -3].map((x) => ({ ...rest, [name]: odd(array, x) })),
          { ...tensors, [`other/${name}`]: array },
        ]
      }),
      { ...tensors, W: tensors.kernel },
      { W: arrays.kernel, recurrent_kernel: arrays.recurrent, b: arrays.bias },
      { kernel: arrays.kernel, recurrent_kernel: arrays.recurrent, b: arrays.bias },
    ]
    let taken = 0
    for (const each of changed) {
      for (const [plain, whole] of [await both(each), await bothTensors(each)]) {
        if (plain === null) continue
        taken++
        expect(plain).toEqual(whole)
      }
    }
    expect(taken).toBeGreaterThan(0)
    expect(taken).toBeLessThan(changed.length / 2)
  })
})

describe('load', () => {
  const read = (name: string) => new Uint8Array(readFileSync(join(example, name)))
  const bare = read('layer.npz')
  const unnamed = ((): Uint8Array => {
    const { graph, tensors } = writeGraph(usual['head 0'])
    const { name: _, ...rest } = graph
    return writeSafetensors({ metadata: { gruv: JSON.stringify(rest) }, tensors })
  })()

  it('takes the plain way with the files of the example', async () => {
    const plain = await npz.readPlain(bare, 'model')
    expectSame(await load(bare), plainModel(plain))
    const shipped = read('model.safetensors')
    expectSame(await load(shipped), plainModel(await safetensors.readPlain(shipped, 'model')))
  })

  it.each<[string, (bytes: Uint8Array) => ModelSource, LoadOptions?]>([
    ['bytes', (bytes) => bytes],
    ['an ArrayBuffer', (bytes) => bytes.slice().buffer],
    ['a Blob', (bytes) => new Blob([bytes as BlobPart])],
    ['a File', (bytes) => new File([bytes as BlobPart], 'a.b/c.d.npz')],
    ['a Response', (bytes) => new Response(bytes as BodyInit)],
    ['files by name', (bytes) => ({ 'a/b.c': bytes })],
    ['a URL', (bytes) => new URL(`data:;base64,${Buffer.from(bytes).toString('base64')}`)],
    ['a name', (bytes) => bytes, { name: 'a\\b\n.c' }],
    ['a name without an ending', (bytes) => bytes, { name: 'a.b/c' }],
    ['no name', (bytes) => bytes, { name: '' }],
    ['an ending alone', (bytes) => bytes, { name: '.npz' }],
    ['options that say nothing', (bytes) => bytes, { layer: undefined, name: undefined } as never],
  ])('%s: as the whole way has it, name and all', async (_, source, options = {}) => {
    for (const bytes of [bare, unnamed]) {
      const arriving = Promise.resolve({ bytes, ...nameIn(source(bytes)) })
      expectSame(
        await load(source(bytes), options),
        await loadWhole(source(bytes), options, arriving),
      )
    }
  })
})

/** As a set of files says which of them it is. */
function nameIn(source: ModelSource): { readonly name?: string } {
  return Object.getPrototypeOf(source) === Object.prototype ? { name: Object.keys(source)[0] } : {}
}

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
  if (!Array.isArray(value)) for (const more of [1, 'x']) yield { ...value, more }
}

function copy<T extends object>(value: T): T {
  return (Array.isArray(value) ? [...value] : { ...value }) as T
}
