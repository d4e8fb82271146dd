/**
 * The plain way, of files as most are, gives what the whole way gives, or leaves the file to it: never
 * another model, whatever is wrong or unusual. The containers alone: `bytes/plain.test.ts`.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpz, writeNpz } from '../../src/bytes/npz.ts'
import { writeSafetensors } from '../../src/bytes/safetensors.ts'
import { bareLayer } from '../../src/formats/arrays.ts'
import { parseObject } from '../../src/formats/decode.ts'
import { readGraph, writeGraph } from '../../src/formats/gruv/graph.ts'
import { readPlainGraph } from '../../src/formats/gruv/plain.ts'
import * as npz from '../../src/formats/plain-npz.ts'
import * as safetensors from '../../src/formats/plain-safetensors.ts'
import { readSafetensorsModel } from '../../src/formats/safetensors.ts'
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
