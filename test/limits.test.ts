/**
 * Files and calls that ask for more than their size justifies: each ends with a result or with
 * `too-large`, within seconds and without GiB.
 */

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { writeHdf5 } from '../src/bytes/hdf5/write.ts'
import { writeZip } from '../src/bytes/zip/write.ts'
import { convert } from '../src/convert/index.ts'
import { type CompileOptions, compile, compileSync, load, type Model } from '../src/index.ts'
import { Budget, mostBytes } from '../src/limits.ts'
import { createModel } from '../src/model/graph.ts'
import { dense, gru, sequential } from '../src/model/index.ts'
import type { LayerNode } from '../src/model/types.ts'
import { collect, trace } from '../src/trace/index.ts'
import { verify } from '../src/verify/index.ts'
import { gruv } from './support/cli.ts'
import { errorOf } from './support/errors.ts'
import {
  functional,
  type KerasLayer,
  kerasArchive,
  type OnnxGraph,
  type OnnxNode,
  onnxFile,
} from './support/hostile.ts'
import { haveShared, sharedPath } from './support/shared.ts'

/** Seconds of CPU that a run took, and what it gave. */
async function timed<T>(run: () => Promise<T> | T): Promise<{ seconds: number; value: T }> {
  const before = process.cpuUsage()
  const value = await run()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, value }
}

type Json = Readonly<Record<string, unknown>>

/** Ones for every input, three steps long. */
function ones({ inputs }: Pick<Model, 'inputs'>) {
  return Object.fromEntries(
    inputs.map(({ name, shape: dims }) => {
      const shape = dims.map((dim) => (typeof dim === 'number' ? dim : dim === 'batch' ? 1 : 3))
      const size = shape.reduce((a, b) => a * b, 1)
      return [name, { shape, data: new Float32Array(size).fill(1) }]
    }),
  )
}

async function whole(bytes: Uint8Array, options: CompileOptions = {}): Promise<void> {
  const model = await load(bytes)
  const program = await compile(model, options)
  program.predict(ones(model))
}

const layer = (name: string, className: string, config = {}, reads: readonly string[] = ['in']) =>
  ({ name, className, config, calls: [reads] }) satisfies KerasLayer

const sequence = [null, null, 2]

/** A model inside a model, to a depth; each level calls the one below so many times. */
function laughs(depth: number, times: number, inner: KerasLayer): object {
  let model = functional('m0', sequence, [inner])
  for (let level = 1; level <= depth; level++) {
    const name = `m${level - 1}`
    const { config } = model
    const calls = Array.from({ length: times }, (_, i) => [i === 0 ? 'in' : name])
    model = functional(`m${level}`, sequence, [{ name, className: 'Functional', config, calls }])
  }
  return model
}

const one = (className: string, config = {}, reads?: readonly string[]) =>
  functional('m', sequence, [layer('a', className, config, reads)])

const kerasCases: Readonly<Record<string, { json: object; code?: string }>> = {
  'models inside models, called ten times each': {
    json: laughs(8, 10, layer('a', 'Activation', { activation: 'tanh' })),
    code: 'too-large',
  },
  'the same, with layers that make no node': {
    json: laughs(8, 10, layer('a', 'Dropout', { rate: 0.5 })),
    code: 'too-large',
  },
  'the same, few enough': { json: laughs(2, 3, layer('a', 'Activation', { activation: 'tanh' })) },
  'steps repeated a hundred million times': {
    json: functional('m', [null, 2], [layer('a', 'RepeatVector', { n: 1e8 })]),
    code: 'too-large',
  },
  'steps made more': { json: one('UpSampling1D', { size: 1e8 }), code: 'too-large' },
  'padding far beyond the data': {
    json: one('ZeroPadding1D', { padding: [1e8, 1e8] }),
    code: 'too-large',
  },
  'a window of a thousand million steps': {
    json: one('AveragePooling1D', { pool_size: 1e9, strides: 1, padding: 'same' }),
  },
  'a largest of as many': {
    json: one('MaxPooling1D', { pool_size: 1e9, strides: 1, padding: 'same' }),
  },
  'features doubled forty times': {
    json: functional(
      'm',
      sequence,
      Array.from({ length: 40 }, (_, i) => {
        const before = i === 0 ? 'in' : `c${i - 1}`
        return layer(`c${i}`, 'Concatenate', { axis: -1 }, [before, before])
      }),
    ),
    code: 'too-large',
  },
  'steps doubled forty times': {
    json: functional(
      'm',
      sequence,
      Array.from({ length: 40 }, (_, i) => {
        const before = i === 0 ? 'in' : `c${i - 1}`
        return layer(`c${i}`, 'Concatenate', { axis: 1 }, [before, before])
      }),
    ),
    code: 'too-large',
  },
}

describe('archives of Keras', () => {
  it.each(Object.entries(kerasCases))('%s', async (_, { json, code }) => {
    const bytes = await kerasArchive(json as Json)
    expect(bytes.length).toBeLessThan(20_000)
    const { seconds } = await timed(async () => {
      if (code === undefined) await whole(bytes)
      else expect(await errorOf(() => whole(bytes))).toMatchObject({ code })
    })
    expect(seconds).toBeLessThan(10)
  })
})

const node = (type: string, inputs: readonly string[], output: string, ints = {}): OnnxNode => ({
  type,
  inputs,
  output,
  ints,
})
const x = { x: ['b', 't', 2] }
const doubling = (
  type: string,
  first: readonly OnnxNode[],
  from: string,
  ints = {},
): OnnxGraph => ({
  nodes: [
    ...first,
    ...Array.from({ length: 40 }, (_, i) => {
      const before = i === 0 ? from : `d${i - 1}`
      return node(type, [before, before], i === 39 ? 'y' : `d${i}`, ints)
    }),
  ],
  inputs: x,
  outputs: ['y'],
  constants: { n: [4], big: [1e8], wide: [1, 1, 1e8], long: [1e5, 1], broad: [1, 1e5] },
})

const onnxCases: Readonly<Record<string, OnnxGraph>> = {
  'numbers of the file doubled': doubling('Concat', [node('ConstantOfShape', ['n'], 'c')], 'c', {
    axis: 0,
  }),
  'inputs doubled': doubling('Concat', [], 'x', { axis: 1 }),
  'shapes doubled': doubling('Concat', [node('Shape', ['x'], 's')], 's', { axis: 0 }),
  'a hundred million equal numbers': {
    ...doubling('Concat', [], 'x'),
    nodes: [node('ConstantOfShape', ['wide'], 'c'), node('Add', ['c', 'x'], 'y')],
    inputs: { x: ['b', 't', 1] },
  },
  'an input expanded': {
    ...doubling('Concat', [], 'x'),
    nodes: [node('Expand', ['x', 'wide'], 'y')],
    inputs: { x: ['b', 't', 1] },
  },
  'an input tiled': {
    ...doubling('Concat', [], 'x'),
    constants: { n: [1, 1024, 1] },
    nodes: Array.from({ length: 4 }, (_, i) =>
      node('Tile', [i === 0 ? 'x' : `t${i - 1}`, 'n'], i === 3 ? 'y' : `t${i}`),
    ),
  },
  'a product of two long vectors': {
    ...doubling('Concat', [], 'x'),
    nodes: [
      node('Expand', ['x', 'long'], 'a'),
      node('Expand', ['x', 'broad'], 'c'),
      node('MatMul', ['a', 'c'], 'y'),
    ],
    inputs: { x: ['b', 1, 1] },
  },
  'functions that call each other': {
    nodes: [{ type: 'f9', inputs: ['x'], output: 'y', domain: 'own' }],
    inputs: x,
    outputs: ['y'],
    functions: Array.from({ length: 10 }, (_, level) => ({
      name: `f${level}`,
      inputs: ['a'],
      outputs: ['z'],
      nodes: Array.from({ length: 10 }, (_, i) => ({
        type: level === 0 ? 'Tanh' : `f${level - 1}`,
        inputs: [i === 0 ? 'a' : `v${i - 1}`],
        output: i === 9 ? 'z' : `v${i}`,
        ...(level > 0 && { domain: 'own' }),
      })),
    })),
  },
}

describe('graphs of ONNX', () => {
  it.each(Object.entries(onnxCases))('%s', async (_, graph) => {
    const bytes = onnxFile(graph)
    const { seconds } = await timed(async () =>
      expect(await errorOf(() => whole(bytes))).toMatchObject({
        code: 'too-large',
        where: expect.any(String),
        expected: expect.stringContaining('at most'),
        fix: expect.stringContaining('--limit'),
      }),
    )
    expect(seconds).toBeLessThan(10)
  })
})

/** Measured 0.3 to 1.5 s for loading, 0.4 s for compiling, on a slow core. */
const CHAIN_SECONDS = 6

describe('a chain of 20,000 layers loads, compiles and runs in the time of 20,000 layers', () => {
  const count = 20_000
  const nodes = Array.from(
    { length: count },
    (_, i): LayerNode => ({
      kind: 'activation',
      name: `t${i}`,
      activation: { kind: 'tanh', parameters: [] },
      conventions: [],
      inputs: { x: i === 0 ? 'x' : `v${i - 1}` },
      outputs: { y: `v${i}` },
    }),
  )
  const files: Readonly<Record<string, () => Promise<Uint8Array>>> = {
    ONNX: async () =>
      onnxFile({
        nodes: nodes.map(({ inputs, outputs }, i) =>
          node('Tanh', Object.values(inputs), i === count - 1 ? 'y' : outputs.y),
        ),
        inputs: x,
        outputs: ['y'],
      }),
    Keras: () =>
      kerasArchive(
        functional(
          'm',
          sequence,
          nodes.map(({ name }, i) =>
            layer(name, 'Activation', { activation: 'tanh' }, [i === 0 ? 'in' : `t${i - 1}`]),
          ),
        ),
      ),
    gruv: async () => {
      const model = createModel({
        name: 'chain',
        source: 'test',
        inputs: [{ name: 'x', shape: ['batch', 'time', 2] }],
        outputs: [{ name: 'y', value: `v${count - 1}` }],
        nodes,
      })
      return (await convert(model, 'chain.safetensors')).bytes
    },
  }
  it.each(Object.entries(files))(
    '%s',
    async (_, make) => {
      const bytes = await make()
      const { seconds, value } = await timed(async () => compile(await load(bytes)))
      expect(seconds).toBeLessThan(CHAIN_SECONDS)
      const run = await timed(() => value.predict({ shape: [2, 2], data: [1, 2, 3, 4] }))
      expect(run.seconds).toBeLessThan(CHAIN_SECONDS)
      expect(run.value.y.data.every(Number.isFinite)).toBe(true)
    },
    120_000,
  )
})

/** Measured 2 s for the first, 1 s for the second; the way that is quadratic took 27 s. */
describe('thousands of layers with weights of their own load in the time of thousands', () => {
  const count = 4000
  const name = (i: number): string => (i === 0 ? 'dense' : `dense_${i}`)
  const kernel = { shape: [2, 2], data: Float32Array.of(0, 1, 1, 0) }
  const json = functional(
    'm',
    sequence,
    Array.from({ length: count }, (_, i) =>
      layer(name(i), 'Dense', { units: 2, use_bias: false }, [i === 0 ? 'in' : name(i - 1)]),
    ),
  )
  const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
  const files: Readonly<Record<string, () => Promise<Readonly<Record<string, Uint8Array>>>>> = {
    'an archive of Keras': async () => ({
      'm.keras': await writeZip([
        { name: 'config.json', bytes: text(json) },
        {
          name: 'model.weights.h5',
          bytes: await writeHdf5(
            Object.fromEntries(
              Array.from({ length: count }, (_, i) => [`layers/${name(i)}/vars/0`, kernel]),
            ),
          ),
        },
      ]),
    }),
    'TF.js': async () => ({
      'model.json': text({
        modelTopology: json,
        weightsManifest: [
          {
            paths: ['a.bin'],
            weights: Array.from({ length: count }, (_, i) => ({
              name: `${name(i)}/kernel`,
              shape: [2, 2],
              dtype: 'float32',
            })),
          },
        ],
      }),
      'a.bin': new Uint8Array(16 * count),
    }),
  }
  it.each(Object.entries(files))(
    '%s',
    async (_, make) => {
      const source = await make()
      const { seconds, value } = await timed(() => load(source))
      expect(value.nodes.length).toBe(count)
      expect(seconds).toBeLessThan(8)
    },
    60_000,
  )
})

describe('programs and runs', () => {
  const model = sequential([
    gru({
      kernel: [[0.1, 0.2, 0.3]],
      recurrentKernel: [[0.1, 0.2, 0.3]],
      gateOrder: 'zrn',
      reset: 'after',
    }),
    dense({ kernel: [[1]] }),
  ])

  test('a hundred million streams are refused, not tried', async () => {
    for (const run of [compile, compileSync]) {
      const error = await errorOf(() => run(model, { streams: 1e8 }))
      expect(error).toMatchObject({ code: 'too-large', where: expect.stringContaining('streams') })
    }
    await compile(model, { streams: 1000 })
  })

  test('a run knows its memory before it begins, and drops what is read no more', async () => {
    const chain = createModel({
      name: 'chain',
      source: 'test',
      inputs: [{ name: 'x', shape: ['batch', 'time', 4] }],
      outputs: [{ name: 'y', value: 'v49' }],
      nodes: Array.from(
        { length: 50 },
        (_, i): LayerNode => ({
          kind: 'transpose',
          name: `t${i}`,
          axes: [0, 2, 1],
          conventions: [],
          inputs: { x: i === 0 ? 'x' : `v${i - 1}` },
          outputs: { y: `v${i}` },
        }),
      ),
    })
    const input = { shape: [1, 250, 4], data: new Float32Array(1000) }
    // Two float32 tensors of 1,000 numbers, and what both are in float64: not fifty.
    const enough = await compile(chain, { limits: { elements: 4000 } })
    expect(enough.predict(input).y.shape).toEqual([1, 250, 4])
    const less = await compile(chain, { limits: { elements: 2999 } })
    expect(await errorOf(() => less.predict(input))).toMatchObject({ code: 'too-large' })
  })

  test('operations are counted before they are done', async () => {
    const program = await compile(await load(onnxFile(multiplied)), { limits: { operations: 50 } })
    expect(await errorOf(() => program.predict(ones(program)))).toMatchObject({
      code: 'too-large',
      problem: expect.stringContaining('operations'),
    })
  })

  test('verify and trace have the same limits', async () => {
    const wide = await load(onnxFile(multiplied))
    const limits = { elements: 1 }
    const input = ones(wide).x
    const run = () => verify(wide, { input, expected: input, limits })
    expect(await errorOf(run)).toMatchObject({ code: 'too-large' })
    const traced = () => collect(trace(model, [[[1]]], { limits: { nodes: 0 } }))
    expect(Object.keys(traced())).toEqual(['gru'])
  })
})

const multiplied: OnnxGraph = {
  nodes: [node('Transpose', ['x'], 'a', { perm: [0, 2, 1] }), node('MatMul', ['x', 'a'], 'y')],
  inputs: { x: ['b', 4, 4] },
  outputs: ['y'],
}

describe('limits that a caller gives', () => {
  test.each(['bytes', 'nodes', 'elements'] as const)('%s', async (limit) => {
    const { bytes } = await convert(
      sequential([dense({ kernel: [[1, 2]] }), dense({ kernel: [[1], [2]] })]),
      'm.safetensors',
    )
    const served = new Response(bytes as BodyInit)
    const source = limit === 'bytes' ? served : bytes
    expect(await errorOf(() => load(source, { limits: { [limit]: 1 } }))).toMatchObject({
      code: 'too-large',
      problem: expect.stringContaining(limit),
    })
  })

  test('count what is called, and let pass what they admit', async () => {
    const bytes = await kerasArchive(
      laughs(2, 11, layer('a', 'Activation', { activation: 'tanh' })) as Json,
    )
    expect(await errorOf(() => load(bytes, { limits: { nodes: 120 } }))).toMatchObject({
      code: 'too-large',
    })
    expect((await load(bytes, { limits: { nodes: 1000 } })).nodes.length).toBe(121)
  })

  test('are those that exist, and counts', async () => {
    const wrong = [{ node: 1 }, { nodes: -1 }, { nodes: Number.NaN }]
    for (const limits of wrong) {
      const error = await errorOf(() => load(new Uint8Array(8), { limits: limits as never }))
      expect(error.code).toBe('bad-argument')
    }
  })

  test('on the command line', async () => {
    const path = join('examples', 'seattle-weather', 'model.safetensors')
    const refused = await gruv(['inspect', path, '--limit', 'nodes=1', '--limit', 'bytes=1e6'])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('limit of nodes')
    const wrong = await gruv(['inspect', path, '--limit', 'nodes'])
    expect(wrong.stderr).toContain('nodes=1e6')
    const run = await gruv(['run', path, '--limit', 'nodes=1e6', '--help'])
    expect(run.code).toBe(0)
  })
})

test('no size escapes a budget: not a number is beyond every limit', () => {
  const budget = Budget.running(undefined, 1)
  expect(() => budget.check('elements', Number.NaN, 'here')).toThrow(/elements/)
})

test('the defaults, for nothing, for one more and where they end', () => {
  const mib = 2 ** 20
  const read = (bytes: number) => Budget.reading(undefined, bytes)
  const run = (numbers: number) => Budget.running(undefined, numbers)
  expect([0, 1, 1e9].map((n) => read(n).most('bytes'))).toEqual([
    64 * mib,
    64 * mib + 100,
    2 ** 31 - 1,
  ])
  expect([0, 29, 30, 1e9].map((n) => read(n).most('nodes'))).toEqual([
    30_000, 30_000, 30_001, 250_000,
  ])
  expect([0, 1].map((n) => read(n).most('elements'))).toEqual([4 * mib, 4 * mib + 8])
  expect([0, 1].map((n) => read(n).most('operations'))).toEqual([128 * mib, 128 * mib + 64])
  expect([0, 1e9].map((n) => run(n).most('bytes'))).toEqual([2 ** 31 - 1, 2 ** 31 - 1])
  expect([0, 1e9].map((n) => run(n).most('nodes'))).toEqual([250_000, 250_000])
  expect([0, 1, 1e9].map((n) => run(n).most('elements'))).toEqual([
    64 * mib,
    64 * mib + 64,
    512 * mib,
  ])
  expect([0, 1].map((n) => run(n).most('operations'))).toEqual([2 ** 32, 2 ** 32 + 2 ** 14])
  expect([null, 0].map(mostBytes)).toEqual([256 * mib, 2 ** 31 - 1])
})

test('a budget admits what reaches it, refuses one more, and adds up', () => {
  const budget = Budget.reading({ nodes: 5 }, 0)
  budget.check('nodes', 5, 'here')
  budget.spend('nodes', 2, 'here')
  budget.spend('nodes', 3, 'here')
  expect(() => budget.spend('nodes', 1, 'here')).toThrow(
    expect.objectContaining({ code: 'too-large', where: 'here', expected: 'at most 5 layers' }),
  )
  // No limit of its own, so what arrives later counts.
  expect(() => budget.check('elements', 2 ** 22 + 8, 'here')).toThrow(/elements=8e6/)
  budget.grow(1)
  budget.check('elements', 2 ** 22 + 8, 'here')
  expect(() => budget.check('bytes', Number.POSITIVE_INFINITY, 'here')).toThrow(/bytes=Infinity/)
})

describe('endless sources are read up to the limit', () => {
  test.skipIf(process.platform === 'win32')('a device', async () => {
    const error = await errorOf(() => load('/dev/zero', { limits: { bytes: 3e6 } }))
    expect(error).toMatchObject({ code: 'too-large', expected: 'at most 3,000,000 bytes' })
  })

  test('a server that does not stop', async () => {
    const server = createServer((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(new Uint8Array(65_536)));
      }
      response.on('drain', more)
      more()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/model.onnx`
    try {
      const error = await errorOf(() => load(url, { limits: { bytes: 1e6 } }))
      expect(error).toMatchObject({ code: 'too-large', expected: 'at most 1,000,000 bytes' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

const hostile = sharedPath('field/hostile')
const hostileFiles = haveShared
  ? readdirSync(hostile, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(h5|onnx|safetensors|json|keras)$/.test(name),
    )
  : []

/** Runs a file to its end and inspects it, and says what came of both and what they cost. */
const child = (file: string): string => `
  const { load, compile, isGruvError } = await import(${JSON.stringify(pathToFileURL(join('dist', 'index.js')).href)})
  const { main } = await import(${JSON.stringify(pathToFileURL(join('dist', 'cli/cli.js')).href)})
  let came = 'ran'
  let message = ''
  try {
    const model = await load(${JSON.stringify(file)})
    const program = await compile(model)
    program.predict(Object.fromEntries(model.inputs.map(({ name, shape: dims }) => {
      const shape = dims.map((dim) => (typeof dim === 'number' ? dim : dim === 'batch' ? 1 : 3))
      return [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1) }]
    })))
  } catch (error) {
    came = isGruvError(error) ? error.code : String(error)
    message = error.message
  }
  let said = ''
  const { write } = process.stdout
  for (const stream of [process.stdout, process.stderr]) stream.write = (text) => { said += text; return true }
  const code = await main(['inspect', ${JSON.stringify(file)}])
  process.stdout.write = write
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  process.exitCode = 0
  console.log(JSON.stringify({ came, message, code, said, MiB: maxRSS / 1024, seconds: (userCPUTime + systemCPUTime) / 1e6 }))
`

describe.skipIf(hostileFiles.length === 0)('files of an enemy (../shared)', () => {
  it.each(hostileFiles)(
    '%s: run and inspected, a result or an error of ours, ≤ 10 s of CPU, ≤ 1 GiB',
    async (name) => {
      const text = await new Promise<string>((resolve, reject) => {
        const source = child(join(hostile, name))
        const run = spawn(process.execPath, ['--input-type=module', '-e', source], {
          timeout: 110_000,
        })
        let out = ''
        run.stdout.setEncoding('utf8').on('data', (part: string) => {
          out += part
        })
        run.on('error', reject)
        run.on('close', () => resolve(out))
      })
      const { came, message, code, said, MiB, seconds } = JSON.parse(text || '{"came":"killed"}')
      expect(came).toMatch(/^(ran|[a-z]+-[a-z]+|unsupported|unreadable)$/)
      expect([0, 2]).toContain(code)
      for (const words of [message, said]) {
        expect(words).not.toMatch(/broke its reader|should not have happened/)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: those must not reach a terminal.
        expect(words).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
      }
      if (code === 2) expect(said.length).toBeLessThan(2100)
      expect(seconds).toBeLessThan(10)
      expect(MiB).toBeLessThan(1024)
    },
  )
})
