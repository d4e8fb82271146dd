/**
 * What a page downloads: the built package through a bundler that divides code, loaded in a browser,
 * which asks for the pieces it needs.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpy } from '../src/bytes/npy.ts'
import { haveBrowser, launchBrowser } from './support/browser.ts'
import { example } from './support/cli.ts'

/** Bytes, each piece compressed by itself (gzip −9). docs/performance.md says what they are made of. */
const MOST = { 'model.safetensors': 28 * 1024, 'layer.npz': 35 * 1024 } as const

const page = `
  import { compile, load } from ${JSON.stringify(join(process.cwd(), 'dist/index.js'))}
  globalThis.run = async (url, x) => {
    const program = await compile(await load(url))
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
let pieces: ReadonlyMap<string, Uint8Array>

beforeAll(async () => {
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
  pieces = new Map(outputFiles.map(({ path, contents }) => [path.replaceAll('\\', '/'), contents]))
})

describe.skipIf(!haveBrowser)('a page with one model', () => {
  const launched = haveBrowser ? launchBrowser() : null
  afterAll(async () => (await launched)?.close())

  it.each([
    ['model.safetensors', 'GRU and Dense', 'expected.npy'],
    ['layer.npz', 'a bare GRU', 'layer_expected.npy'],
  ] as const)(
    '%s, %s: loads, compiles, predicts and streams',
    async (file, _, expected) => {
      const context = await (await launched!).newContext()
      const visited = await context.newPage()
      const asked: string[] = []
      await visited.route('**/*', (route) => {
        const { pathname } = new URL(route.request().url())
        const piece = pieces.get(pathname)
        if (piece !== undefined) {
          asked.push(pathname)
          return route.fulfill({ contentType: 'text/javascript', body: Buffer.from(piece) })
        }
        if (pathname === `/${file}`)
          return route.fulfill({ body: readFileSync(join(example, file)) })
        return route.fulfill({
          contentType: 'text/html',
          body: '<script type="module" src="/page.js"></script>',
        })
      })
      await visited.goto('http://page.test/')
      await visited.waitForFunction('globalThis.run !== undefined')
      const x = readNpy(new Uint8Array(readFileSync(join(example, 'input.npy'))))
      const input = { shape: x.shape, data: Array.from(x.data) }
      const { engine, y, streamed } = await visited.evaluate(
        ([url, input]) =>
          (globalThis as never as { run: (...args: unknown[]) => Promise<Answer> }).run(url, input),
        [`/${file}`, input] as const,
      )
      await context.close()

      expect(engine.kind).toBe('wasm')
      const wanted = readNpy(new Uint8Array(readFileSync(join(example, expected))))
      const errors = y.map((value, i) => Math.abs(value - wanted.data[i]))
      expect(y.length).toBe(wanted.data.length)
      expect(Math.max(...errors)).toBeLessThan(1e-5)
      expect(streamed).toEqual(y)

      const sizes = asked.map(
        (path) => [path, gzipSync(pieces.get(path)!, { level: 9 }).length] as const,
      )
      const total = sizes.reduce((sum, [, size]) => sum + size, 0)
      expect(new Set(asked).size, 'each piece once').toBe(asked.length)
      expect(total, JSON.stringify(sizes)).toBeLessThanOrEqual(MOST[file])
    },
    60_000,
  )
})

interface Answer {
  readonly engine: { readonly kind: string }
  readonly y: readonly number[]
  readonly streamed: readonly number[]
}
