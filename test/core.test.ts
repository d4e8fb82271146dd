/** `gruv/core`: the same models and numbers as `gruv`, in one file, in hosts that have little. Reads dist/. */

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeNpz } from '../src/bytes/numpy/npz.ts'
import { writeSafetensors } from '../src/bytes/safetensors.ts'
import { convert } from '../src/convert/index.ts'
import { PlainTextDecoder } from '../src/core/text-decoder.ts'
import { type CompileOptions, compile, load } from '../src/index.ts'
import { activationParameters } from '../src/model/activation/activations.ts'
import { dense, sequential } from '../src/model/index.ts'
import type { Model } from '../src/model/types.ts'
import { haveBrowser, launchBrowser } from './support/browser.ts'
import { example } from './support/cli.ts'
import { randomGru, randomLstm, randomRnn, randomTensor } from './support/random.ts'

const built = join(process.cwd(), 'dist/core/index.js')
const core: typeof import('../src/core/index.ts') = await import(built)

const file = (name: string): Uint8Array => new Uint8Array(readFileSync(join(example, name)))
const head = (activation?: string) =>
  dense({
    kernel: randomTensor(2, [7, 3]),
    bias: randomTensor(3, [3]),
    ...(activation && { activation }),
  })
const x = randomTensor(4, [3, 9, 5])

/** A model of every kind of layer that the entry holds. */
const everyKind = sequential([
  randomGru(1, 5, 40),
  randomLstm(2, 40, 6),
  randomRnn(3, 6, 7),
  head('softmax'),
])

/** Keras gives such outputs in the order of the run: a layer of its own reverses them. */
const backwards = sequential([randomGru(1, 5, 4, { goBackwards: true })])

async function written(model: Model, storage?: 'f16' | 'int8'): Promise<Uint8Array> {
  return (await convert(model, 'm.safetensors', storage && { storage })).bytes
}

describe('loadSync', () => {
  test.each<[string, () => Uint8Array | Promise<Uint8Array>]>([
    ['a gruv model', () => file('model.safetensors')],
    ['a bare layer, stored', () => file('layer.npz')],
    [
      'a bare layer, compressed',
      () =>
        writeNpz(
          { kernel: randomTensor(1, [4, 30]), recurrent_kernel: randomTensor(2, [10, 30]) },
          { compress: true },
        ),
    ],
    ['every kind of layer', () => written(everyKind)],
    ['float16, of which there is a warning', () => written(everyKind, 'f16')],
    ['int8 with scales', () => written(everyKind, 'int8')],
  ])('gives the model that load gives: %s', async (_, bytes) => {
    const source = await bytes()
    const model = core.loadSync(source, { name: 'the file' })
    expect(model).toEqual(await load(source, { name: 'the file' }))
    expect(core.loadSync(source.slice().buffer, { name: 'the file' })).toEqual(model)
  })

  test('takes conventions and names as load does', async () => {
    const arrays = { a: randomTensor(1, [4, 30]), b: randomTensor(2, [10, 30]) }
    const options = { names: { w: 'a', u: 'b' }, conventions: { gateOrder: 'rzn' } } as const
    const source = await writeNpz(arrays)
    expect(core.loadSync(source, options)).toEqual(await load(source, options))
    await expect(async () => core.loadSync(source)).rejects.toThrow(/can be made out/)
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'another format',
      () => core.loadSync(readFileSync('test/fixtures/convert/stack.onnx')),
      /reader of this file/,
    ],
    ['PyTorch modules', () => core.loadSync(stateDict), /PyTorch modules/],
    ['another layer', () => core.loadSync(otherLayer), /kind of layer.*got reverse/],
    [
      'a check',
      () => core.loadSync(file('model.safetensors'), { verify: true } as object),
      /reference data/,
    ],
    ['a path', () => core.loadSync('model.safetensors' as never), /bytes alone/],
  ])('refuses %s and names the entry that takes it', async (_, run, words) => {
    const error = (await errorFrom(run)) as Error & { code: string; fix: string }
    expect(error.message).toMatch(words)
    expect(error.code).toMatch(/^(unsupported|bad-argument)$/)
    expect(error.fix).toMatch(/entry `gruv`/)
  })
  let stateDict: Uint8Array
  let otherLayer: Uint8Array
  beforeAll(async () => {
    stateDict = writeSafetensors({
      tensors: {
        'gru.weight_ih_l0': randomTensor(1, [30, 4]),
        'gru.weight_hh_l0': randomTensor(2, [30, 10]),
      },
    })
    otherLayer = await written(backwards)
  })
})

/** An error of the built file is none of `src`'s class. */
async function errorFrom(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    expect(core.isGruvError(error)).toBe(true)
    return error
  }
  throw new Error('nothing was thrown')
}

describe('compileSync', () => {
  const settings: readonly CompileOptions[] = [
    { deterministic: true },
    {},
    { engine: 'js' },
    { precision: 'f64' },
    { precision: 'f64', engine: 'js' },
  ]
  test.each(settings)('gives the bits of compile: %o', async (options) => {
    const program = core.compileSync(everyKind, options)
    const theirs = await compile(everyKind, options)
    expect(program.engine).toEqual(theirs.engine)
    expect(program.predict(x)).toEqual(theirs.predict(x))
    expect(program.plan.hash).toBe(theirs.plan.hash)
  })

  test.each(Object.keys(activationParameters))('knows the activation %s', async (name) => {
    const model = sequential([randomGru(1, 5, 7, { activation: name }), head(name)])
    const options = { deterministic: true }
    const { y } = core.compileSync(model, options).predict(x)
    expect(y).toEqual((await compile(model, options)).predict(x).y)
  })

  test.each<[string, () => unknown]>([
    ['workers', () => core.compileSync(everyKind, { threads: 2 })],
    ['another layer', () => core.compileSync(backwards)],
  ])('refuses %s and names the entry that has them', async (_, run) => {
    const error = (await errorFrom(run)) as Error & { fix: string }
    expect(error).toMatchObject({ code: 'unsupported' })
    expect(error.fix).toMatch(/entry `gruv`/)
  })
})

describe('the file', () => {
  const text = readFileSync(built, 'utf8')

  test('imports nothing, at once or later, and asks for nothing beside it', () => {
    const { module, errors } = parseSync('core.js', text)
    expect(errors).toEqual([])
    const { staticImports, dynamicImports, importMetas } = module
    expect([staticImports, dynamicImports, importMetas]).toEqual([[], [], []])
  })

  test('decodes text where the host has no TextDecoder, as hosts that have one', () => {
    const texts = ['', 'kernel:0', 'größe √ 層 🙂', '\u0000\u007f\u0080\u07ff\u0800\uffff']
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text)
      expect(new PlainTextDecoder('utf-8', { fatal: true }).decode(bytes)).toBe(text)
    }
    const wrong = Uint8Array.of(0xc3, 0x28)
    expect(() => new PlainTextDecoder('utf-8', { fatal: true }).decode(wrong)).toThrow(URIError)
    expect(new PlainTextDecoder('latin1').decode(wrong)).toBe('Ã(')
    expect(new PlainTextDecoder().decode(wrong)).toBe('Ã(')
  })
})

/** Loads, compiles, and runs one sequence step by step; bytes come with the message. */
const run = `
  const run = ({ bytes, x }) => {
    const program = compileSync(loadSync(bytes), { deterministic: true })
    const stream = program.stream()
    const y = []
    for (const step of x) {
      stream.input.set(step)
      stream.step()
      y.push(...stream.output)
    }
    return { y, kind: program.engine.kind, decoder: typeof TextDecoder }
  }
`
const imported = `import { compileSync, loadSync } from '/core.js'\n${run}`
const scripts: Readonly<Record<string, string>> = {
  '/page.js': `${imported}; globalThis.run = run`,
  '/worklet.js': `${imported}
    registerProcessor('gru', class extends AudioWorkletProcessor {
      constructor(options) {
        super(options)
        try {
          this.port.postMessage(run(options.processorOptions))
        } catch (error) {
          this.port.postMessage({ failed: String(error) })
        }
      }
      process() {
        return false
      }
    })`,
  '/service.js': `${imported}
    self.addEventListener('message', ({ data, ports }) => {
      try {
        ports[0].postMessage(run(data))
      } catch (error) {
        ports[0].postMessage({ failed: String(error) })
      }
    })`,
}

interface Answer {
  readonly y: readonly number[]
  readonly kind: string
  readonly decoder: string
  readonly failed?: string
}

describe.skipIf(!haveBrowser)('in a browser, as it is built', () => {
  let server: Server
  let origin: string
  const launched = haveBrowser ? launchBrowser() : null
  const steps = [
    [-1.3, -2.24, -0.7, -1.2, 0, 1],
    [0.4, 0.1, -0.2, 0.9, 1, 0],
    [2, -1, 0.5, 0, 0.3, -0.6],
  ]
  let expected: readonly number[]

  beforeAll(async () => {
    server = createServer(({ url = '/' }, answer) => {
      const body = url === '/core.js' ? readFileSync(built) : scripts[url]
      const type = extname(url) === '.js' ? 'text/javascript' : 'text/html'
      answer.setHeader('content-type', type)
      answer.setHeader('content-security-policy', "script-src 'self' 'wasm-unsafe-eval'")
      answer.end(body ?? '<script type="module" src="/page.js"></script>')
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    origin = `http://localhost:${(server.address() as AddressInfo).port}/`
    const program = await compile(await load(file('model.safetensors')), { engine: 'js' })
    const data = Float32Array.from(steps.flat())
    expected = Array.from(program.predict({ shape: [1, 3, 6], data }).y.data)
  })
  afterAll(async () => {
    server.close()
    await (await launched)?.close()
  })

  /** What a function in the page gives for the example's bytes. */
  async function visit(inPage: (given: { bytes: Uint8Array; x: number[][] }) => Promise<Answer>) {
    const context = await (await launched!).newContext()
    try {
      const page = await context.newPage()
      await page.goto(origin)
      await page.waitForFunction('globalThis.run !== undefined', null, { polling: 20 })
      const bytes = Array.from(file('model.safetensors'))
      return await page.evaluate(
        `(${inPage})({ bytes: Uint8Array.from(${JSON.stringify(bytes)}), x: ${JSON.stringify(steps)} })`,
      )
    } finally {
      await context.close()
    }
  }

  test('a page without a bundler', async () => {
    const answer = await visit(async (given) =>
      (globalThis as unknown as { run: (given: object) => Answer }).run(given),
    )
    expect(answer).toMatchObject({ y: expected, kind: 'wasm' })
  })

  test('an audio worklet, which has no TextDecoder', async () => {
    const answer = await visit(async (processorOptions) => {
      const audio = new OfflineAudioContext(1, 128, 44100)
      await audio.audioWorklet.addModule('/worklet.js')
      const node = new AudioWorkletNode(audio, 'gru', { processorOptions })
      const heard = new Promise<Answer>((hear) => {
        node.port.onmessage = ({ data }) => hear(data)
      })
      node.connect(audio.destination)
      await audio.startRendering()
      return heard
    })
    expect(answer).toMatchObject({ y: expected, kind: 'wasm' })
    expect(answer).toMatchObject({ decoder: 'undefined' })
  })

  test('a service worker', async () => {
    const answer = await visit(async (given) => {
      await navigator.serviceWorker.register('/service.js', { type: 'module' })
      const { active } = await navigator.serviceWorker.ready
      const { port1, port2 } = new MessageChannel()
      const heard = new Promise<Answer>((hear) => {
        port1.onmessage = ({ data }) => hear(data)
      })
      active!.postMessage(given, [port2])
      return heard
    })
    expect(answer).toMatchObject({ y: expected, kind: 'wasm' })
  })
})
