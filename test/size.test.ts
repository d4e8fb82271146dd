/**
 * What a page downloads: the built package through bundlers that divide code, loaded in a browser,
 * which asks for the pieces it needs.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpy } from '../src/bytes/numpy/npy.ts'
import { convert } from '../src/convert/index.ts'
import { type CompileOptions, compileSync, type EngineReport, load } from '../src/index.ts'
import { dense, sequential } from '../src/model/index.ts'
import { haveBrowser, launchBrowser } from './support/browser.ts'
import { example } from './support/cli.ts'
import { randomGru, randomTensor } from './support/random.ts'

/**
 * Bytes, each piece compressed by itself (gzip −9). Rolldown is what Vite builds with; esbuild cuts
 * what pieces share into more pieces. docs/performance.md says what they are made of.
 */
const MOST = {
  rolldown: {
    'model.safetensors': 36 * 1024,
    'layer.npz': 38 * 1024,
    'large.safetensors': 38 * 1024,
  },
  esbuild: {
    'model.safetensors': 42 * 1024,
    'layer.npz': 43.5 * 1024,
    'large.safetensors': 43.5 * 1024,
  },
} as const

const page = `
  import { compile, load } from ${JSON.stringify(join(process.cwd(), 'dist/index.js'))}
  globalThis.run = async (url, x, options) => {
    const program = await compile(await load(url), options)
    const { y } = program.predict(x)
    const stream = program.stream()
    const streamed = x.data.length === 0 ? [] : Array.from({ length: x.shape[0] }, (_, t) => {
      stream.input.set(x.data.slice(t * x.shape[1], (t + 1) * x.shape[1]))
      stream.step()
      return Array.from(stream.output)
    })
    return { engine: program.engine, y: Array.from(y.data), streamed: streamed.flat() }
  }
`

/** By path: `/page.js`, and the pieces. */
type Pieces = ReadonlyMap<string, string>

async function throughEsbuild(): Promise<Pieces> {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: '/',
    entryNames: 'page',
    write: false,
    logLevel: 'error',
  })
  return new Map(outputFiles.map(({ path, text }) => [path.replaceAll('\\', '/'), text]))
}

async function throughRolldown(): Promise<Pieces> {
  const bundle = await rolldown({
    input: 'page',
    platform: 'browser',
    // What only Node comes to.
    external: /^node:/,
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page' ? '\0page' : null),
        load: (id) => (id === '\0page' ? page : null),
      },
    ],
  })
  const { output } = await bundle.generate({ minify: true, entryFileNames: 'page.js' })
  await bundle.close()
  return new Map(
    output.flatMap((each) => (each.type === 'chunk' ? [[`/${each.fileName}`, each.code]] : [])),
  )
}

interface Answer {
  readonly engine: EngineReport
  readonly y: readonly number[]
  readonly streamed: readonly number[]
}

const x = readNpy(new Uint8Array(readFileSync(join(example, 'input.npy'))))

/** The example's files, and a larger model. */
async function bytesOf(file: keyof typeof MOST.rolldown): Promise<Uint8Array> {
  if (file !== 'large.safetensors') return readFileSync(join(example, file))
  const head = dense({ kernel: randomTensor(2, [64, 1]) })
  const model = sequential([randomGru(1, x.shape.at(-1)!, 64), head])
  return (await convert(model, file)).bytes
}

describe.skipIf(!haveBrowser).each([
  ['rolldown', throughRolldown],
  ['esbuild', throughEsbuild],
] as const)('a page with one model, through %s', (bundler, bundle) => {
  let pieces: Pieces
  beforeAll(async () => {
    pieces = await bundle()
  }, 60_000)
  const launched = haveBrowser ? launchBrowser() : null
  afterAll(async () => (await launched)?.close())

  /** What `run` in the page gives, and the pieces that the page asked for. */
  async function visit(
    file: keyof typeof MOST.rolldown,
    options: CompileOptions,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly answer: Answer; readonly asked: readonly string[] }> {
    const bytes = Buffer.from(await bytesOf(file))
    const context = await (await launched!).newContext()
    const tab = await context.newPage()
    const asked: string[] = []
    await tab.route('**/*', (route) => {
      const { pathname } = new URL(route.request().url())
      const piece = pieces.get(pathname)
      if (piece !== undefined) {
        asked.push(pathname)
        return route.fulfill({ contentType: 'text/javascript', body: piece })
      }
      if (pathname === `/${file}`) return route.fulfill({ body: bytes })
      const body = '<script type="module" src="/page.js"></script>'
      return route.fulfill({ contentType: 'text/html', body, headers })
    })
    await tab.goto('http://page.test/')
    await tab.waitForFunction('globalThis.run !== undefined', null, { polling: 20 })
    const input = { shape: x.shape, data: Array.from(x.data) }
    const run = (args: unknown[]) =>
      (globalThis as never as { run: (...args: unknown[]) => Promise<Answer> }).run(...args)
    try {
      const answer = await tab.evaluate(run, [`/${file}`, input, options])
      return { answer, asked }
    } finally {
      await context.close()
    }
  }

  it.each([
    ['model.safetensors', 'GRU and Dense'],
    ['layer.npz', 'a bare GRU'],
    ['large.safetensors', 'GRU of 64 units and Dense'],
  ] as const)(
    '%s, %s: loads, compiles, predicts and streams',
    async (file, _) => {
      const { answer, asked } = await visit(file, { deterministic: true })
      expect(answer.engine).toMatchObject({ kind: 'wasm', fallbacks: [] })
      const { y } = compileSync(await load(await bytesOf(file)), { engine: 'js' }).predict(x)
      expect(answer.y).toEqual(Array.from(y.data))
      expect(answer.streamed).toEqual(answer.y)

      const sizes = asked.map(
        (path) => [path, gzipSync(pieces.get(path)!, { level: 9 }).length] as const,
      )
      const total = sizes.reduce((sum, [, size]) => sum + size, 0)
      expect(new Set(asked).size, 'each piece once').toBe(asked.length)
      expect(total, JSON.stringify(sizes)).toBeLessThanOrEqual(MOST[bundler][file])
    },
    60_000,
  )

  it('fetches the JavaScript engine where a policy forbids compiling', async () => {
    const policy = { 'content-security-policy': "script-src 'self'" }
    const { answer } = await visit('model.safetensors', {}, policy)
    expect(answer.engine.kind).toBe('js')
    expect(answer.engine.fallbacks[0].why).toMatch(/host refused it: .*Policy/)
    const { y } = compileSync(await load(join(example, 'model.safetensors')), {
      engine: 'js',
    }).predict(x)
    expect(answer.y).toEqual(Array.from(y.data))
    await expect(visit('model.safetensors', { engine: 'wasm' }, policy)).rejects.toThrow(
      /cannot run in WebAssembly here/,
    )
  }, 60_000)
})
